import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConfigSource } from "../../src/config/config-source.js";
import { mistake } from "../mistake.js";

const set = (assignment: string) => ({ said: `--set ${assignment}`, assignment });

/** As a shell would put in. */
const VARIABLE = `\${HOME}`;

/** A library that compares them in pairs takes minutes. */
const manyKeys = Array.from({ length: 30_000 }, (_, at) => `k${at}: 1\n`).join("");

const text = ["model: mnist-cnn", "dataset:", "  name: digits", "  subset: 100", "arms: { a: { order: frozen } }"].join(
  "\n",
);

describe("a config that cannot be used names its file and line", () => {
  test.each([
    [
      "a mistake of YAML",
      "name: a\nseeds: [1, 2\nepochs: 3\n",
      "x.yaml:3: Flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
    [
      "a key without its colon",
      "name: a\narms\n  a: { order: frozen }\n",
      "x.yaml:2: a key goes on over several lines: a colon may be missing after the first word",
    ],
    ["a tab", "name: a\nmodel:\n\tname: b\n", "x.yaml:3: Tabs are not allowed as indentation"],
    ["a key that stands twice", "name: a\nepochs: 1\nepochs: 2\n", "x.yaml:3: Map keys must be unique"],
    ["a nested key that stands twice", "model:\n  name: a\n  name: b\n", "x.yaml:3: Map keys must be unique"],
    ["an alias of nothing", "name: a\nmodel: *nope\n", "x.yaml:2: *nope names no anchor: `&nope` must stand before it"],
    ["an empty file", "", "x.yaml: expected a map (name, dataset, model, …)"],
    ["a list", "- a\n", "x.yaml: expected a map (name, dataset, model, …)"],
    ["a sentence", "hello there", "x.yaml: expected a map (name, dataset, model, …)"],
    [
      "a second document",
      "name: a\n---\nname: b\n",
      "x.yaml:2: a second document begins here, and a config is one: put it into a file of its own",
    ],
    [
      "a bomb of aliases",
      `a0: &a0 [x, x]\n${Array.from({ length: 40 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]\n`).join("")}`,
      "x.yaml: its aliases (*name) make more of it than can be read: write out what they stand for, or fewer of them",
    ],
    ["an anchor within itself", "x-a: &a [*a]\n", "x.yaml:1: *a stands within what it names"],
    ["the same key in many", `${manyKeys}k20000: 1\n`, "x.yaml:30001: Map keys must be unique"],
    ["brackets without end", "[".repeat(200_000), "x.yaml: it is nested deeper than 100 levels"],
    ["lists without end", "- ".repeat(200_000), "x.yaml: it is nested deeper than 100 levels"],
    ["a tag that nothing resolves", "name: a\nmodel: !env NAME\n", "x.yaml:2: Unresolved tag: !env"],
    [
      "a variable of the shell",
      "name: a\ndataset: { name: digits }\norder: { file: '$HOME/my.mjs' }\n".replace("$HOME", VARIABLE),
      `x.yaml:3: order.file: nothing is put in for \${…}: write out what is meant in ${VARIABLE}/my.mjs`,
    ],
  ])("%s", (_, yaml, expected) => {
    expect(mistake(() => ConfigSource.parse(yaml, "x.yaml"))).toBe(expected);
  });

  test("a file that is not there", () => {
    expect(mistake(() => ConfigSource.read("/nowhere/x.yaml"))).toBe(
      "config /nowhere/x.yaml cannot be read: there is no such file",
    );
  });

  test("a device, and a file of more than a mebibyte", () => {
    const directory = mkdtempSync(join(tmpdir(), "ibatch-config-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = join(directory, "x.yaml");
    writeFileSync(path, "a: b\n".repeat(2 ** 21 / 5));
    expect(mistake(() => ConfigSource.read(path))).toBe(
      `config ${path} has more than 1 MiB: expected the YAML of an experiment`,
    );
    expect(mistake(() => ConfigSource.read("/dev/zero"))).toBe(
      "config /dev/zero has more than 1 MiB: expected the YAML of an experiment",
    );
  });

  test("a directory", () => {
    expect(mistake(() => ConfigSource.read(tmpdir()))).toBe(
      `config ${tmpdir()} cannot be read: it is a directory; name a YAML file in it`,
    );
  });
});

test("a file is read as its text", () => {
  const directory = mkdtempSync(join(tmpdir(), "ibatch-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "x.yaml");
  writeFileSync(path, text);
  const source = ConfigSource.read(path);
  expect(source.value).toEqual(ConfigSource.parse(text, "x.yaml").value);
  expect(source.where(["dataset", "subset"])).toBe(`${path}:4`);
});

test("an alias is what its anchor is", () => {
  const { value } = ConfigSource.parse("model: &m { name: a }\narms: { b: { model: *m } }\n", "x.yaml");
  expect(value.arms).toEqual({ b: { model: { name: "a" } } });
});

test("a merge key brings what its anchor has, beside keys of its own", () => {
  const { value } = ConfigSource.parse("x-m: &m { name: a, depth: 1 }\nmodel: { <<: *m, depth: 2 }\n", "x.yaml");
  expect(value.model).toEqual({ name: "a", depth: 2 });
});

test("arguments of a callable may hold the names of variables: what they mean is theirs to say", () => {
  const { value } = ConfigSource.parse(
    "model: { reference: 'a:b', args: { root: '$HOME' } }\n".replace("$HOME", VARIABLE),
    "x.yaml",
  );
  expect(value.model).toEqual({ reference: "a:b", args: { root: VARIABLE } });
});

describe("where", () => {
  const source = ConfigSource.parse(text, "x.yaml");
  test.each([
    ["a section", ["model"], "x.yaml:1"],
    ["a key of a section", ["dataset", "subset"], "x.yaml:4"],
    ["a key on the line of others", ["arms", "a", "order"], "x.yaml:5"],
    ["a key that is not there: the section", ["dataset", "validation"], "x.yaml:2"],
    ["a key below a name alone: the name", ["model", "padding"], "x.yaml:1"],
    ["a section that is not there: the file", ["epochs"], "x.yaml"],
  ])("%s", (_, path, expected) => {
    expect(source.where(path)).toBe(expected);
  });
});

describe("--set", () => {
  const parse = (...assignments: string[]) =>
    ConfigSource.parse(
      assignments.some((one) => one.startsWith("large")) ? `${text}\nlarge: 99999999999999999999` : text,
      "x.yaml",
      assignments.map(set),
    );

  test("sets a part, reads its value as YAML, and leaves what is beside it", () => {
    const { value } = parse("dataset.subset=20", "seeds=[0, 5]", "augmentation.flip=true", "name=a=b");
    expect(value).toEqual({
      name: "a=b",
      model: "mnist-cnn",
      dataset: { name: "digits", subset: 20 },
      seeds: [0, 5],
      augmentation: { flip: true },
      arms: { a: { order: "frozen" } },
    });
  });

  test("goes through a section whose value is a name alone, also in an arm", () => {
    const { value } = parse("model.padding=same", "arms.a.order.sequence=shuffled");
    expect(value.model).toEqual({ name: "mnist-cnn", padding: "same" });
    expect(value.arms).toEqual({ a: { order: { name: "frozen", sequence: "shuffled" } } });
  });

  test("changes one arm, though two share what an anchor names", () => {
    const shared = "arms:\n  a: &a { order: { name: frozen } }\n  b: *a\n  c: { <<: *a }\n";
    const { value } = ConfigSource.parse(shared, "x.yaml", [set("arms.a.order.sequence=shuffled")]);
    expect(value.arms).toEqual({
      a: { order: { name: "frozen", sequence: "shuffled" } },
      b: { order: { name: "frozen" } },
      c: { order: { name: "frozen" } },
    });
  });

  test("finds an arm whose name has dots", () => {
    const dotted = "arms:\n  a: { epochs: 1 }\n  a.5: { epochs: 1 }\n";
    const { value } = ConfigSource.parse(dotted, "x.yaml", [set("arms.a.5.epochs=2"), set("arms.a.order=frozen")]);
    expect(value.arms).toEqual({ a: { epochs: 1, order: "frozen" }, "a.5": { epochs: 2 } });
  });

  test("is where its part stands; what is beside it stays where it was", () => {
    const source = parse("dataset.subset=20", "backend.threads=1");
    expect(source.where(["dataset", "subset"])).toBe("--set dataset.subset=20");
    expect(source.where(["dataset", "name"])).toBe("x.yaml:3");
    expect(source.where(["backend", "threads"])).toBe("--set backend.threads=1");
  });

  test("of one part twice: the last one holds, and is the one that is named", () => {
    const source = parse("dataset.subset=20", "dataset.subset=30");
    expect(source.value.dataset).toEqual({ name: "digits", subset: 30 });
    expect(source.where(["dataset", "subset"])).toBe("--set dataset.subset=30");
  });

  test.each([
    ["subset", "--set subset: expected a.b=value, for instance --set dataset.subset=1000"],
    ["=5", "--set =5: expected a.b=value, for instance --set dataset.subset=1000"],
    ["dataset..subset=5", "--set dataset..subset=5: expected a.b=value, for instance --set dataset.subset=1000"],
    ["__proto__.x=5", "--set __proto__.x=5: expected a.b=value, for instance --set dataset.subset=1000"],
    ["seeds=[1, 2", "--set seeds=[1, 2: the value is no YAML: Flow sequence must end with a ]"],
    ["arms.aa.order=frozen", '--set arms.aa.order=frozen: no arm "aa"; there are: a (a new one: --set arms.aa={…})'],
    ["dataset.subset.x=1", "--set dataset.subset.x=1: subset is 100, not a map"],
  ])("%s is refused", (assignment, expected) => {
    expect(mistake(() => parse(assignment))).toBe(expected);
  });

  test("through an integer beyond 2^53 is refused with all its digits", () => {
    const parse = () => ConfigSource.parse("epochs: 99999999999999999999\n", "x.yaml", [set("epochs.x=1")]);
    expect(mistake(parse)).toBe("--set epochs.x=1: epochs is 99999999999999999999, not a map");
  });
});
