// What is trained: mnist-cnn on the digits that need no download, and ResNet-18 on noise of CIFAR's shape.
const common = ({ epochs, threads, everyBatches, chunkBatches, checkpoint }) => ({
  epochs,
  seeds: 1,
  optimizer: { name: "sgd", momentum: 0.9 },
  schedule: { name: "constant", learningRate: 0.01 },
  evaluation: { trainSample: 10, every: 1000 },
  record: { images: 0 },
  backend: { device: "cpu", threads, ...(chunkBatches && { chunkBatches }) },
  ...(everyBatches && { checkpoint: { everyBatches, everyEpochs: null, everySeconds: null } }),
  ...(checkpoint === null && { checkpoint }),
  arms: { shuffled: { order: "shuffled" } },
});

export const mnistCnn = (options) => ({
  ...common(options),
  name: "bench-mnist-cnn",
  dataset: { name: "digits" },
  model: "mnist-cnn",
  batching: { name: "constant", size: 32 },
});

export const resnet18 = (options) => ({
  ...common(options),
  name: "bench-resnet18",
  dataset: { reference: "pictures:noise", args: { train: 160, test: 10 } },
  model: "resnet18",
  batching: { name: "constant", size: 4 },
});
