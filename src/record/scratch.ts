/** A temporary directory for arrays that another process reads or writes. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryDirectory } from "../temporary-directory.js";
import { wholeValues } from "./read-file.js";
import { bytesOf, writing } from "./write-file.js";

export class Scratch {
  readonly directory: string;

  constructor() {
    this.directory = makeTemporaryDirectory();
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Returns the file's path. */
  write(name: string, values: Uint32Array | Float32Array): string {
    const path = this.path(name);
    writing(path, () => writeFileSync(path, bytesOf(values)));
    return path;
  }

  readFloats(name: string): Float32Array {
    return new Float32Array(wholeValues(readFileSync(this.path(name))));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
