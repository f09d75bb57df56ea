/** Where a backend that is started listens. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const MAX_SOCKET_DIRECTORY_BYTES = 80;

export interface ChosenEndpoint {
  readonly listen: string;
  /** Removes what was made for it. */
  remove(): void;
}

/** `ipc`: a path of its own in a directory that only we may enter; anything else as it is. */
export function chooseEndpoint(listen: string): ChosenEndpoint {
  if (listen !== "ipc") return { listen, remove: () => {} };
  if (process.platform === "win32") return { listen: "tcp://127.0.0.1:0", remove: () => {} };
  const parent = Buffer.byteLength(tmpdir()) > MAX_SOCKET_DIRECTORY_BYTES ? "/tmp" : tmpdir();
  const directory = resolve(mkdtempSync(join(parent, "ibatch-"))); // 0700
  return {
    listen: `ipc://${join(directory, "control")}`,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
