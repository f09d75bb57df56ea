import { homedir } from "node:os";
import { join } from "node:path";

/** The directory of what is the user's own, whatever experiment is run. */
export const userConfiguration = (): string =>
  join(process.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "ibatch");
