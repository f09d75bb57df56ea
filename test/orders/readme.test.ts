import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { checkOrder, isOrderDefinition } from "../../src/orders/conformance.js";
import { packageRoot } from "../../src/package-root.js";

const folder = join(packageRoot, ".setup/readme-order");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("the order that the README shows is held by the contract", async () => {
  const readme = readFileSync(join(packageRoot, "README.md"), "utf8");
  const shown = /```ts\n(\/\/ src\/orders\/odd-even\.ts\n[\s\S]*?)```/.exec(readme)?.[1];
  expect(shown).toBeDefined();
  const there = String(shown)
    .replaceAll('"../', `"${packageRoot}/src/`)
    .replaceAll('"./', `"${packageRoot}/src/orders/`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "odd-even.ts"), there);
  const { default: definition } = await import(join(folder, "odd-even.ts"));
  if (!isOrderDefinition(definition)) throw new Error("the README's code exports no order");
  expect(definition.name).toBe("odd-even");
  expect(checkOrder(definition)).toEqual([]);
});
