import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type PythonImport, pythonImports } from "./python-imports.js";

/** The layering of the code and its doors, read off the import lines. */

const root = dirname(dirname(fileURLToPath(import.meta.url)));

interface Import {
  /** Importing file, relative to its source root. */
  readonly file: string;
  /** Imported file relative to the same root, or a package's name. */
  readonly target: string;
}

function filesUnder(directory: string, ending: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(ending) && !file.includes("__pycache__"))
    .sort();
}

function readTypeScriptImports(): Import[] {
  return filesUnder("src", ".ts").flatMap((file) => {
    const text = readFileSync(join(root, "src", file), "utf8");
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]);
    return specifiers.map((specifier) => ({
      file,
      target: specifier.startsWith(".") ? join(dirname(file), specifier).replace(/\.js$/, ".ts") : specifier,
    }));
  });
}

/** The Python packages, and what each may import of the others. */
const PACKAGES: Record<string, readonly string[]> = {
  py_backend: [],
  // what a loop of a user's has in common with ours: images, a device, and how it ends
  py_bench: ["datasets", "device", "errors", "exits", "freed_memory", "process_signals"].map(
    (name) => `py_backend/${name}`,
  ),
  py_ray: ["py_backend", "py_backend/exits", "py_backend/process_signals"],
  py_report: ["py_backend/exits", "py_backend/process_signals"],
  // what a config names, and nothing that trains
  py_validate: [
    ...["models", "datasets", "references", "errors", "catalogue"].map((name) => `py_backend/${name}`),
    "py_report/statistics/equivalence",
  ],
};

function readPythonImports(): PythonImport[] {
  const packages = Object.keys(PACKAGES);
  return packages
    .flatMap((name) => filesUnder(name, ".py").map((file) => join(name, file)))
    .flatMap((file) => pythonImports(file, readFileSync(join(root, file), "utf8"), packages));
}

const layerOf = (path: string): string => (path.includes("/") ? path.slice(0, path.indexOf("/")) : path);

describe("TypeScript", () => {
  const imports = readTypeScriptImports();
  const everywhere = [
    "aligned.ts",
    "errors.ts",
    "exact-json.ts",
    "markdown-table.ts",
    "nearest.ts",
    "package-root.ts",
    "at-exit.ts",
    "running-process.ts",
    "schema-mistake.ts",
    "temporary-directory.ts",
    "when-aborted.ts",
    "turn.ts",
  ];
  const rules = ["orders", "batching", "schedules", "kernels"];
  const run = ["training", "config", "order-files", "record", ...rules];
  // What each folder may import beside itself; downward only.
  const allowed: Record<string, readonly string[]> = {
    kernels: [],
    orders: ["kernels", "errors.ts", "nearest.ts"],
    batching: ["kernels", "errors.ts", "nearest.ts"],
    schedules: ["kernels", "errors.ts", "nearest.ts"],
    process: everywhere,
    quality: ["kernels"],
    backend: ["process", ...everywhere],
    placement: ["backend", "process", ...everywhere],
    record: everywhere,
    "order-files": ["process", "record", ...rules, ...everywhere],
    config: ["order-files", "record", "backend", ...rules, ...everywhere],
    training: ["config", "order-files", "record", "backend", ...rules, ...everywhere],
    experiment: [...run, "backend", ...everywhere],
    results: ["experiment", ...run, "process", ...everywhere],
    page: ["results", "experiment", ...run, ...everywhere],
    export: ["results", "experiment", ...run, "process", ...everywhere],
    download: ["record", ...everywhere],
    launch: ["page", "results", "experiment", ...run, "placement", "backend", "process", ...everywhere],
    bench: ["validate", "launch", "results", "experiment", ...run, "backend", "process", ...everywhere],
    validate: ["launch", "experiment", ...run, "backend", "process", ...everywhere],
    cli: [
      ...["bench", "validate", "launch", "download", "quality", "page", "export", "results", "experiment", ...run],
      ...["backend", "process", ...everywhere],
    ],
  };

  it("reads the imports it is about", () => {
    expect(imports.length).toBeGreaterThan(150);
    expect(imports).toContainEqual({ file: "cli/command-line.ts", target: "cli/run-command.ts" });
  });

  it("has no folder without a place in the layers", () => {
    const folders = new Set(
      filesUnder("src", ".ts")
        .map(layerOf)
        .filter((name) => !name.endsWith(".ts")),
    );
    expect([...folders].sort()).toEqual(Object.keys(allowed).sort());
  });

  it("imports downward only", () => {
    const upward = imports.filter(({ file, target }) => {
      const may = allowed[layerOf(file)];
      if (may === undefined || !target.endsWith(".ts")) return false;
      return layerOf(target) !== layerOf(file) && !may.includes(layerOf(target));
    });
    expect(upward).toEqual([]);
  });

  it("imports nothing from outside into the kernels, but what loads their compiled form", () => {
    const outer = imports.filter(({ file, target }) => layerOf(file) === "kernels" && !target.endsWith(".ts"));
    expect(outer).toEqual([
      { file: "kernels/module.ts", target: "node:fs" },
      { file: "kernels/module.ts", target: "node:url" },
    ]);
  });

  const doors: Record<string, readonly string[]> = {
    zeromq: ["backend/socket.ts"],
    // validate/python-objects.ts has the type alone: pythonia starts that process
    "node:child_process": ["process/spawn.ts", "validate/python-objects.ts"],
    pythonia: ["validate/python-objects.ts"],
    msgpackr: ["backend/codec.ts"],
    "log-update": ["cli/progress.ts"],
    "@observablehq/plot": ["page/plot.ts"],
    linkedom: ["page/plot.ts"],
    "node:http": ["download/http.ts"],
    "node:https": ["download/http.ts"],
  };
  for (const [module, files] of Object.entries(doors)) {
    it(`has one door to ${module}`, () => {
      const importing = imports.filter(({ target }) => target === module).map(({ file }) => file);
      expect([...new Set(importing)]).toEqual(files);
    });
  }

  it("exports no value that no other file names", () => {
    const texts = ["src", "test", "scripts", "bench", "examples"]
      .flatMap((folder) =>
        ["ts", "js", "mjs", "py"]
          .flatMap((ending) => filesUnder(folder, `.${ending}`))
          .map((file) => join(folder, file)),
      )
      .map((file) => ({ file, text: readFileSync(join(root, file), "utf8") }));
    const isNode = (file: string) => file === "src/order-files/order-thread/hooks.ts"; // who asks for its exports
    const unused = texts
      .filter(({ file }) => file.startsWith("src/") && !isNode(file))
      .flatMap(({ file, text }) => {
        const values = [...text.matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm)].map(
          ([, name]) => name,
        );
        const isNamed = (name: string) => texts.some((other) => other.file !== file && other.text.includes(name));
        return values.filter((name) => !isNamed(name)).map((name) => `${file}: ${name}`);
      });
    expect(unused).toEqual([]);
  });

  it("writes files in two folders only: what is recorded, and data that is fetched", () => {
    const harmless = [
      "existsSync",
      "lstatSync",
      "readFileSync",
      "readdirSync",
      "readlinkSync",
      "statSync",
      "realpathSync",
      "mkdtempSync",
      "rmSync",
    ]; // the last two: a socket's
    const others = filesUnder("src", ".ts").flatMap((file) => {
      const text = readFileSync(join(root, "src", file), "utf8");
      const names = [...text.matchAll(/^import ([^;]*?) from "(?:node:)?fs(?:\/promises)?"/gm)].flatMap(([, list]) =>
        list.replace(/[{}]/g, "").split(","),
      );
      const may = ["record", "download"].includes(layerOf(file));
      return names.map((name) => name.trim()).filter((name) => !may && name !== "" && !harmless.includes(name));
    });
    expect(others).toEqual([]);
  });

  describe("what is recorded is opened in record/ alone", () => {
    const later = [
      "order-files",
      "config",
      "training",
      "experiment",
      "results",
      "page",
      "export",
      "validate",
      "launch",
      "cli",
    ];
    const sources = filesUnder("src", ".ts")
      .filter((file) => later.includes(layerOf(file)))
      .map((file) => ({ file, text: readFileSync(join(root, "src", file), "utf8") }));
    const holding = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(text)).map(({ file }) => file);

    /** Names that a file imports as values, with where from. */
    const valuesOf = (text: string): { readonly name: string; readonly from: string }[] =>
      [...text.matchAll(/^import (?!type )\{([^}]*)\} from "([^"]+)"/gm)].flatMap(([, names, from]) =>
        names
          .split(",")
          .map((name) => name.trim())
          .filter((name) => name !== "" && !name.startsWith("type "))
          .map((name) => ({ name, from })),
      );

    it("sees values apart from types", () => {
      const text =
        'import { a, type B } from "./c.js";\nimport type { D } from "./e.js";\nimport {\n  f,\n} from "g";\n';
      expect(valuesOf(text)).toEqual([
        { name: "a", from: "./c.js" },
        { name: "f", from: "g" },
      ]);
    });

    it("by what reads a file: nobody else imports it", () => {
      const readers = ["read-file", "sealed", "verified-files", "epoch-lines", "checksums"];
      const opening = sources.flatMap(({ file, text }) =>
        valuesOf(text)
          .filter(({ from }) => readers.some((reader) => from.endsWith(`record/${reader}.js`)))
          .map(({ name }) => `${file}: ${name}`),
      );
      expect(opening).toEqual([]);
      expect(holding(/\bfiles\.(bytes|json|u32|f32|parsed)\(/)).toEqual([]);
    });

    it("by the file system: what else is read there is no record", () => {
      const reading = sources.flatMap(({ file, text }) =>
        valuesOf(text)
          .filter(({ name, from }) => from.startsWith("node:fs") && /^(read|open|createRead)/.test(name))
          .map(({ name }) => `${file}: ${name}`),
      );
      expect(reading).toEqual([
        "export/torch.ts: readFileSync", // a file of this package
        "order-files/order-thread/hooks.ts: readFileSync", // a user's sources
        "order-files/order-thread/thread.ts: readFileSync",
      ]);
      expect(holding(/JSON\.parse\((?!JSON\.stringify)/)).toEqual([
        "results/statistics.ts", // what Python answers
        "training/session-answers.ts", // what a backend answers
        "validate/python-objects.ts",
      ]);
    });

    it("by its path: nobody else names a file of it", () => {
      const files = "run|experiment|summary|statistics|validation|images";
      const names = `"(?:(?:${files})\\.json|(?:metrics|timings)\\.jsonl|images\\.u8|test-predictions\\.u32|SHA256SUMS)"`;
      expect(holding(new RegExp(names))).toEqual([]);
      expect(holding(/`[^`]*(seed-|orders\/|signals\/|datasets\/)\$\{/)).toEqual([]);
    });

    it("by its schema: results are made without one", () => {
      const makers = ["results", "page", "export"];
      expect(imports.filter(({ file, target }) => makers.includes(layerOf(file)) && target === "zod")).toEqual([]);
    });
  });
});

describe("Python", () => {
  const imports = readPythonImports();
  // From the bottom up: a file may import those before it.
  const layers = [
    [
      "__init__",
      "errors",
      "exits",
      "freed_memory",
      "process_signals",
      "endpoints",
      "progress",
      "listed",
      "waking",
      "arrivals",
      "user_token",
    ],
    [
      "keeper",
      "machine",
      "messages",
      "noise",
      "exact_values",
      "choice",
      "averaging",
      "batch_norm",
      "memory_format",
      "parameters",
      "threads",
      "torch_hooks",
      "torch_methods",
      "torch_switches",
      "connections",
      "admission",
    ],
    ["codec", "device", "torch_state", "workers"],
    ["identity", "generators", "arithmetic"],
    ["datasets", "models", "optimizers"],
    ["references"],
    ["fetched"],
    ["resident", "signals", "catalogue"],
    ["learner"],
    ["step", "losses"],
    ["training"],
    ["evaluation", "images", "answers", "fitting"],
    ["state_document"],
    ["learner_state"],
    ["unsaved"],
    ["recordable"],
    ["weights", "opening", "restoring"],
    ["saving"],
    ["loading"],
    ["session", "asked", "control"],
    ["host"],
    ["server"],
    ["__main__"],
  ];
  const moduleOf = (path: string): string => layerOf(path.slice("py_backend/".length)).replace(/\.py$/, "");
  const height = (path: string): number => layers.findIndex((layer) => layer.includes(moduleOf(path)));
  const isBackend = (path: string): boolean => path.startsWith("py_backend/");
  const inPackage = (path: string, name: string): boolean => path === name || path.startsWith(`${name}/`);

  it("reads the imports it is about", () => {
    expect(imports.length).toBeGreaterThan(400);
    expect(imports).toContainEqual({ file: "py_backend/host.py", target: "py_backend/session", isRelative: true });
    expect(imports).toContainEqual({ file: "py_validate/data.py", target: "py_backend/datasets", isRelative: false });
  });

  it("has no module without a place in the layers", () => {
    const modules = filesUnder("py_backend", ".py").map((file) => `py_backend/${file}`);
    expect(modules.filter((file) => height(file) < 0)).toEqual([]);
  });

  it("imports downward only", () => {
    const inner = imports.filter(({ file, target }) => isBackend(file) && isBackend(target));
    expect(inner.length).toBeGreaterThan(150);
    const upward = inner.filter(
      ({ file, target }) => moduleOf(file) !== moduleOf(target) && height(target) >= height(file),
    );
    expect(upward).toEqual([]);
    const nowhere = inner.map(({ target }) => target).filter((target) => height(target) < 0);
    expect([...new Set(nowhere)]).toEqual(["py_backend/__version__"]); // of __init__.py
  });

  it("imports a package's own modules relatively", () => {
    const absolute = imports.filter(({ file, target, isRelative }) => !isRelative && inPackage(target, layerOf(file)));
    // pythonia imports that file by its path, so it belongs to no package
    expect(absolute).toEqual([{ file: "py_validate/shim.py", target: "py_validate/desk", isRelative: false }]);
  });

  it("imports of another package what that offers", () => {
    const names = Object.keys(PACKAGES);
    const beyond = imports.filter(({ file, target }) => {
      const isOfAnother = names.some((name) => name !== layerOf(file) && inPackage(target, name));
      return isOfAnother && !(PACKAGES[layerOf(file)] ?? []).some((offered) => inPackage(target, offered));
    });
    expect(beyond).toEqual([]);
  });

  it("keeps models and datasets free of messages", () => {
    const knowing = imports.filter(
      ({ file, target }) =>
        isBackend(file) &&
        ["models", "datasets"].includes(moduleOf(file)) &&
        ["messages", "codec"].includes(moduleOf(target)),
    );
    expect(knowing).toEqual([]);
  });

  const doors: Record<string, readonly string[]> = {
    zmq: ["py_backend/admission.py", "py_backend/connections.py", "py_backend/server.py"],
    ray: ["py_ray/cluster.py"],
    pickle: ["py_backend/datasets/unpickle.py"],
    sklearn: [],
    scipy: ["bootstrap", "divergence", "equivalence", "intervals", "signed_rank", "t_test"].map(
      (name) => `py_report/statistics/${name}.py`,
    ),
    "torch/utils/tensorboard": ["py_report/tensorboard_export.py"],
    // digits: where scikit-learn lies
    importlib: [
      "py_backend/datasets/digits.py",
      "py_backend/references/asked_imports.py",
      "py_backend/references/importing.py",
      "py_backend/references/own_code.py",
    ],
  };
  for (const [module, files] of Object.entries(doors)) {
    it(`has one door to ${module}`, () => {
      const importing = imports.filter(({ target }) => inPackage(target, module)).map(({ file }) => file);
      expect([...new Set(importing)].sort()).toEqual(files);
    });
  }
});
