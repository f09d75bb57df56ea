// A backend that is started by hand, as on another machine.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { EXPERIMENT, environmentOf, ROOT } from "../command.mjs";

/** Listens there with what chaos trains; its temporary files lie in `folder`. */
export async function startServed({ python, folder, listen }) {
  const child = spawn(
    python,
    [
      ...["-m", "py_backend", "--listen", listen, "--device", "cpu", "--threads", "1"],
      ...["--allow-import", "chaos_net", "--python-path", EXPERIMENT],
    ],
    { cwd: ROOT, env: environmentOf({ python, folder }), stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said = (said + text).slice(-10_000);
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (done) throw new Error(`the backend ended before it listened: ${said}`);
  const { control, work } = JSON.parse(value);
  return {
    pid: child.pid,
    endpoint: control,
    work,
    /** Of tcp. */
    ports: [control, work].map((endpoint) => Number(endpoint.slice(endpoint.lastIndexOf(":") + 1))),
    get said() {
      return said;
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
