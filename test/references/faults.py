"""The same networks with one honest mistake each; for `ibatch validate --reference`."""

import torch.nn.functional as F
from mnist import MnistNet
from resnet import ResNet
from torch import nn


def missing_bias():
    return MnistNet(bias=False)


class DropoutInEvaluation(MnistNet):
    def forward(self, x):
        *layers, head = self
        for layer in layers:
            x = F.dropout(x, layer.p) if isinstance(layer, nn.Dropout) else layer(x)
        return head(x)


def max_pool_in_stem():
    return ResNet(in_channels=1, stem_pool=True)


def eps_changed():
    return ResNet(in_channels=1, eps=1e-6)


def batch_norm_momentum():
    model = ResNet(in_channels=1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.01
    return model
