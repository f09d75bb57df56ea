import { packageRoot, packedCommit } from "../package-root.js";
import { gitCommit } from "./spawn.js";

/** That of the code that runs here: of a clone, or what a packed archive was made from; undefined where neither is known. */
export const ownCommit = (): string | undefined => packedCommit() ?? gitCommit(packageRoot);
