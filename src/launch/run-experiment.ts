/** The public door to `launch`: what drives a backend is loaded when it is called, not by who imports this package. */
import type { LaunchOptions, LaunchResult } from "./launch.js";

/**
 * Runs what is missing of an experiment, and says how all of it came out. `config`: a YAML file's path, or what such
 * a file says as a value; paths in it are relative to the file, or to the current directory.
 * A run that fails is recorded and counted in the summary, and the others go on.
 * @throws IbatchError of kind `usage` (the config), `surroundings` (Python, data, disk: what is missing once runs have
 * begun is `stoppedBy` in the result, where it lets that be written); Interrupted.
 */
export async function runExperiment(
  config: string | Readonly<Record<string, unknown>>,
  options: LaunchOptions = {},
): Promise<LaunchResult> {
  const { launch } = await import("./launch.js");
  const { ConfigSource } = await import("../config/config-source.js");
  return launch(typeof config === "string" ? ConfigSource.read(config) : ConfigSource.of(config), options);
}
