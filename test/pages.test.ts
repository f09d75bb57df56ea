// What README, CHANGELOG, docs and examples name is there: files, commands with their options, scripts of npm.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { packageRoot } from "../src/package-root.js";

const pages = [
  "README.md",
  "CHANGELOG.md",
  ...markdownIn("docs"),
  ...markdownIn("docs/results"),
  "examples/compose/README.md",
  "examples/own-order/README.md",
].map((path) => ({ path, text: readFileSync(join(packageRoot, path), "utf8") }));

function markdownIn(folder: string): string[] {
  return readdirSync(join(packageRoot, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
}

const definition = z.object({ name: z.string(), options: z.record(z.string(), z.looseObject({ help: z.string() })) });

const commands: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  await Promise.all(
    readdirSync(join(packageRoot, "src", "cli"))
      .filter((file) => file.endsWith("-command.ts"))
      .map(async (file) => {
        const exported = Object.values(await import(`../src/cli/${file.replace(/\.ts$/, "")}.ts`));
        const [{ name, options }] = exported.flatMap((value) => definition.safeParse(value).data ?? []);
        return [name, Object.keys(options).map((key) => `--${kebab(key)}`)] as const;
      }),
  ),
);

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

test("every link within the repository leads to a file", () => {
  const dead = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\(([^)\s#]+)[^)\s]*\)/g)]
      .map(([, target]) => target)
      .filter((target) => !/^https?:/.test(target) && !existsSync(join(packageRoot, dirname(path), target)))
      .map((target) => `${path}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test("every path that begins with a folder of the repository is there", () => {
  const named =
    /(?<![\w/.<-])(?:src|test|docs|configs|examples|scripts|bench|py_backend|py_report|py_validate)\/[\w./-]*\w/g;
  const missing = pages.flatMap(({ path, text }) =>
    [...text.matchAll(named)]
      .map(([found]) => found)
      .filter((found) => !existsSync(join(packageRoot, found)) && !existsSync(join(packageRoot, dirname(path), found)))
      .map((found) => `${path}: ${found}`),
  );
  expect(missing).toEqual([]);
});

test("every ibatch command is one, with options that it has", () => {
  const shown = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/npx ibatch ([a-z]+)([^\n`#&|]*)/g)].map(([line, name, rest]) => ({ path, line, name, rest })),
  );
  expect(shown.length).toBeGreaterThan(30);
  const wrong = shown.filter(
    ({ name, rest }) =>
      !Object.hasOwn(commands, name) ||
      !(rest.match(/--[a-z-]+/g) ?? []).every((option) => commands[name].includes(option)),
  );
  expect(wrong).toEqual([]);
});

test("the README has a row for each command", () => {
  const [{ text }] = pages;
  const rows = [...text.matchAll(/^\| `npx ibatch ([a-z]+)/gm)].map(([, name]) => name);
  expect([...new Set(rows)].sort()).toEqual(Object.keys(commands).sort());
});

test("every script of npm that a page names is one", () => {
  const { scripts } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8"));
  const named = pages.flatMap(({ text }) => [...text.matchAll(/npm run ([a-z:]+)/g)].map(([, name]) => name));
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
