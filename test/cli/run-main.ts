import { onTestFinished, vi } from "vitest";
import { main } from "../../src/cli/command-line.js";

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process; what it writes comes back. Lines are as for a pipe: 80 columns, no colour. */
export async function ibatch(...argv: string[]): Promise<Said> {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += text;
      return true;
    }),
  );
  const restore = () => {
    for (const spy of spies) spy.mockRestore();
  };
  onTestFinished(restore);
  const code = await main(argv);
  restore();
  return { code, ...written };
}
