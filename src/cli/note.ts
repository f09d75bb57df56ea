import { stderr } from "node:process";
import { wrap } from "../results/layout.js";
import { asCalled } from "./called.js";
import { widthOf } from "./width.js";

/** A line for a person, apart from results; on a terminal broken between words. */
export const note = (text: string): void => {
  const line = asCalled(text);
  stderr.write(`${stderr.isTTY ? wrap(line, widthOf(stderr), "  ") : line}\n`);
};
