import { describe, expect, test } from "vitest";
import { pythonImports } from "./python-imports.js";

const targets = (text: string, file = "ours/session.py") =>
  pythonImports(file, text, ["ours", "other"]).map(({ target, isRelative }) => (isRelative ? `./${target}` : target));

describe("the imports of a Python file", () => {
  test.each([
    ["a module", "import torch.nn as nn", ["torch/nn"]],
    ["two modules", "import zmq, torch.nn as nn\n", ["zmq", "torch/nn"]],
    ["names of another's module", "from torch.nn import functional, init", ["torch/nn"]],
    ["of ours, by its name", "from ours.a.b import c\nimport ours.d", ["ours/a/b", "ours/d"]],
    ["of another package of ours", "from other import e, f as g  # late", ["other/e", "other/f"]],
    ["the package itself", "import ours", ["ours"]],
    ["a neighbour", "from .host import Host", ["./ours/host"]],
    ["neighbours", "from . import keeper, codec as wire", ["./ours/keeper", "./ours/codec"]],
    ["a list over lines", "from . import (\n    keeper,  # first\n    codec,\n)", ["./ours/keeper", "./ours/codec"]],
    ["names over lines", "from .host import (\n    Host,\n    Other,\n)", ["./ours/host"]],
    ["a line that goes on", "from . import keeper, \\\n    codec", ["./ours/keeper", "./ours/codec"]],
    ["inside of a function", "def load():\n    import zmq\n    from .host import Host", ["zmq", "./ours/host"]],
    ["two on a line", "import os; import zmq", ["os", "zmq"]],
  ])("%s", (_, text, expected) => {
    expect(targets(text)).toEqual(expected);
  });

  test("from the folders above", () => {
    const text = "from .c import x\nfrom ..errors import y\nfrom ... import host\nfrom ...models.table import z";
    const expected = ["./ours/a/b/c", "./ours/a/errors", "./ours/host", "./ours/models/table"];
    expect(targets(text, "ours/a/b/file.py")).toEqual(expected);
  });

  test("from a package's __init__.py", () => {
    expect(targets("from . import idx\nfrom ..errors import y", "ours/datasets/__init__.py")).toEqual([
      "./ours/datasets/idx",
      "./ours/errors",
    ]);
  });

  test("not what texts and comments say", () => {
    expect(targets('"""Reads.\n\nimport zmq\nfrom .host import Host\n"""\n# import pickle\nimport os\n')).toEqual([
      "os",
    ]);
  });
});
