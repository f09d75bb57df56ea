import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { DataSource } from "../../src/download/sources.js";
import { always, brokenOffAt, bytes, published, serve, temporaryDirectory, whole } from "../download/server.js";
import { ibatch } from "./run-main.js";

const table = vi.hoisted(() => ({ SOURCES: [] as DataSource[] }));
vi.mock("../../src/download/sources.js", () => table);

const content = bytes(50_000);

/** Makes `tiny` the dataset that can be downloaded: one file at these addresses. */
function offer(urls: readonly string[]) {
  const file = { ...published(content, urls, "tiny.gz"), plainBytes: 1 };
  table.SOURCES = [
    { name: "tiny", kind: "files", folder: "Tiny/raw", files: [file] },
    { name: "fashion-tiny", kind: "files", folder: "Other/raw", files: [file] },
  ];
  const directory = join(temporaryDirectory(), "data");
  const folder = join(directory, "Tiny/raw");
  return { directory, folder, path: join(folder, "tiny.gz") };
}

beforeEach(() => {
  for (const name of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"]) vi.stubEnv(name, undefined);
});
afterEach(() => vi.unstubAllEnvs());

describe("ibatch data", () => {
  test("fetches the set: where it lies on standard output, progress on standard error", async () => {
    const { url } = await serve(whole(content));
    const { directory, folder, path } = offer([url]);
    const { code, stdout, stderr } = await ibatch("data", "tiny", "--data", directory);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `tiny: whole in ${folder} (fetched tiny.gz)\n` });
    expect(stderr).toBe(`tiny.gz: 50.0 kB from ${new URL(url).host}\n`);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test("says that it was there already, and asks nobody", async () => {
    const { url, asked } = await serve(whole(content));
    const { directory, folder } = offer([url]);
    await ibatch("data", "tiny", "--data", directory);
    const { stdout } = await ibatch("data", "tiny", "--data", directory);
    expect(stdout).toBe(`tiny: whole in ${folder} (was there already)\n`);
    expect(asked).toHaveLength(1);
  });

  test("takes the directory from IBATCH_DATA", async () => {
    const { url } = await serve(whole(content));
    const { directory, path } = offer([url]);
    vi.stubEnv("IBATCH_DATA", directory);
    expect((await ibatch("data", "tiny")).code).toBe(0);
    expect(existsSync(path)).toBe(true);
  });

  test("tells why an address was left, and nothing with --quiet", async () => {
    const [none, { url }] = [await serve(always(404)), await serve(whole(content))];
    const loud = offer([none.url, url]);
    const { stderr } = await ibatch("data", "tiny", "--data", loud.directory);
    expect(stderr).toBe(
      `tiny.gz: ${new URL(none.url).host}: it answers 404, expected 200; trying the next address\n` +
        `tiny.gz: 50.0 kB from ${new URL(url).host}\n`,
    );
    const quiet = offer([none.url, url]);
    expect(await ibatch("data", "tiny", "--quiet", "--data", quiet.directory)).toEqual({
      code: 0,
      stdout: `tiny: whole in ${quiet.folder} (fetched tiny.gz)\n`,
      stderr: "",
    });
  });

  test("on a terminal: one line, which is gone in the end; a reason stays above it", async () => {
    asTerminal();
    const [none, { url }] = [await serve(always(404)), await serve(whole(content))];
    const { directory } = offer([none.url, url]);
    const { stderr } = await ibatch("data", "tiny", "--data", directory);
    const lines = stripVTControlCharacters(stderr).split("\n");
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(`tiny.gz: ${new URL(none.url).host}: it answers 404, expected 200; trying the next address`);
    expect(lines[1]).toMatch(/^tiny\.gz · \d+ %, [\d.]+ kB of 50\.0 kB · 127\.0\.0\.1:\d+/);
    expect(stderr.endsWith("\u001b[1G\u001b[2K")).toBe(true);
  });
});

describe("what goes wrong", () => {
  test("an unknown name: exit code 2 and the nearest", async () => {
    offer([]);
    expect(await ibatch("data", "fashion_tiny")).toEqual({
      code: 2,
      stdout: "",
      stderr:
        'ibatch: There is no dataset to download "fashion_tiny". Did you mean "fashion-tiny"? ' +
        "Known: tiny, fashion-tiny.\n",
    });
  });

  test("no address gives the file: exit code 4, one line, no file", async () => {
    const { url } = await serve(always(500));
    const { directory, folder, path } = offer([url]);
    const { code, stdout, stderr } = await ibatch("data", "tiny", "--quiet", "--data", directory);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toBe(
      `ibatch: tiny.gz cannot be fetched: ${new URL(url).host}: it answers 500, expected 200. Mend that and give the ` +
        `same command again, or fetch ${url} by other means to ${path}: it is checked and used\n`,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  test("another file of this name: exit code 4, and it stays", async () => {
    const { directory, folder, path } = offer([]);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, "mine");
    const { code, stderr } = await ibatch("data", "tiny", "--data", directory);
    expect(code).toBe(4);
    expect(stderr).toBe(
      `ibatch: ${path} is there but is not the published file: it has 4 bytes, expected 50000; ` +
        "remove it and give the same command again\n",
    );
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  test("Ctrl-C: exit code 130, what has come is kept, and the same command goes on", async () => {
    const { url, asked } = await serve((request, response) => {
      brokenOffAt(20_000, content)(request, response);
      process.emit("SIGINT");
    }, whole(content));
    const { directory, path } = offer([url]);
    const { code, stdout, stderr } = await ibatch("data", "tiny", "--quiet", "--data", directory);
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toBe(
      `ibatch: interrupted; what has come is kept in ${directory}; give the same command again to go on\n`,
    );
    expect(existsSync(path)).toBe(false);
    expect((await ibatch("data", "tiny", "--quiet", "--data", directory)).code).toBe(0);
    expect(asked).toHaveLength(2);
  });
});

/** As if standard error were a terminal that can redraw. */
function asTerminal(): void {
  const before = { isTTY: process.stderr.isTTY, columns: process.stderr.columns };
  Object.assign(process.stderr, { isTTY: true, columns: 120 });
  onTestFinished(() => void Object.assign(process.stderr, before));
  vi.stubEnv("NO_COLOR", undefined);
  vi.stubEnv("TERM", "xterm");
}
