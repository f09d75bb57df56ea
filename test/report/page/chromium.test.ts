import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderPage } from "../../../src/report/page/page.js";
import { readReportData } from "../../../src/report/page/read.js";
import { make, SMALL } from "./scene.js";

const found = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "chromium"));
const executablePath = found.find((path) => existsSync(path));
if (executablePath === undefined) {
  process.stderr.write("report page: no chromium on PATH, so the page is not opened in a browser here\n");
}

interface Opened {
  readonly page: Page;
  /** What the page said to the console, and what it asked the network for. */
  readonly said: string[];
  readonly asked: string[];
}

describe.skipIf(executablePath === undefined)("the page in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());

  async function open(width: number, colorScheme: "light" | "dark" = "light"): Promise<Opened> {
    const file = join(make({ ...SMALL, arms: { ...SMALL.arms, heterogeneous: SMALL.arms.sorted } }), "report.html");
    writeFileSync(file, renderPage(readReportData(join(file, ".."))));
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    const said: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.message));
    page.on("request", (request) => asked.push(request.url()));
    const url = pathToFileURL(file).href;
    await page.goto(url, { waitUntil: "networkidle" });
    return { page, said, asked: asked.filter((address) => address !== url && !address.startsWith("data:")) };
  }

  /** Run in the page, which knows a document; this project's types do not. */
  const ask = <T>({ page }: Opened, expression: string): Promise<T> => page.evaluate(expression);

  test("says nothing to the console and asks for nothing", async () => {
    const { said, asked } = await open(1100);
    expect({ said, asked }).toEqual({ said: [], asked: [] });
  });

  test.each([360, 800, 1400])("does not scroll sideways at %d px", async (width) => {
    const opened = await open(width);
    expect(await ask<number>(opened, "document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  });

  test("at 360 px, no letter of a chart lies beyond the page, and none is smaller than 9 px", async () => {
    const opened = await open(360);
    const beyond = await ask<number>(
      opened,
      `Math.max(...[...document.querySelectorAll("svg.plot text")].map((text) => text.getBoundingClientRect().right))`,
    );
    expect(beyond).toBeLessThanOrEqual(360);
    const smallest = await ask<number>(
      opened,
      `Math.min(...[...document.querySelectorAll("#curves svg.plot")].map((svg) => 11 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width))`,
    );
    expect(smallest).toBeGreaterThanOrEqual(9);
  });

  test.each(["light", "dark"] as const)("every text stands out from the %s paper, 4.5 to 1", async (scheme) => {
    const opened = await open(1100, scheme);
    const worst = await ask<string[]>(opened, CONTRASTS);
    expect(worst).toEqual([]);
  });

  test("dark mode is dark", async () => {
    const paper = async (scheme: "light" | "dark") =>
      ask<string>(await open(1100, scheme), "getComputedStyle(document.body).backgroundColor");
    expect(await paper("light")).toBe("rgb(255, 255, 255)");
    expect(await paper("dark")).toBe("rgb(21, 23, 26)");
  });
});

/** WCAG's contrast of each colour that carries text or a line against the paper; those below 4.5 come back. */
const CONTRASTS = `(() => {
  const luminance = (color) => {
    const parts = color.match(/\\d+/g).slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const probe = document.body.appendChild(document.createElement("i"));
  const read = (name) => { probe.style.color = "var(" + name + ")"; return luminance(getComputedStyle(probe).color); };
  const paper = read("--paper");
  return ["--ink", "--soft", ...[1, 2, 3, 4, 5, 6, 7].map((at) => "--arm-" + at)].flatMap((name) => {
    const own = read(name);
    const contrast = (Math.max(own, paper) + 0.05) / (Math.min(own, paper) + 0.05);
    return contrast < 4.5 ? [name + " " + contrast.toFixed(2)] : [];
  });
})()`;
