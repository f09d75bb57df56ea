import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { gitCommit } from "../../src/process/spawn.js";
import { temporaryDirectory } from "../experiment/scene.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

const git = (directory: string, ...args: string[]) =>
  execFileSync("git", ["-C", directory, "-c", "user.name=a", "-c", "user.email=a@b", ...args], {
    encoding: "utf8",
  }).trim();

/** A repository with one commit. Returns both. */
function repository() {
  const directory = temporaryDirectory();
  git(directory, "init", "-q");
  writeFileSync(join(directory, "a"), "one");
  git(directory, "add", "a");
  git(directory, "commit", "-q", "-m", "One");
  return { directory, commit: git(directory, "rev-parse", "HEAD") };
}

test("is that of the checkout, and says where files differ from it", () => {
  const { directory, commit } = repository();
  expect(gitCommit(directory)).toBe(commit);
  mkdirSync(join(directory, "shard-0"));
  writeFileSync(join(directory, "shard-0", "log.txt"), "the user's, and none of its files");
  expect(gitCommit(directory)).toBe(commit);
  writeFileSync(join(directory, "a"), "two");
  expect(gitCommit(directory)).toBe(`${commit}+changes`);
});

test("is not that of the user's repository that we are installed in", () => {
  const { directory } = repository();
  const installed = join(directory, "node_modules", "importance-batching");
  mkdirSync(installed, { recursive: true });
  expect(gitCommit(installed)).toBeUndefined();
});

test("is not that of the repository in whose hook we run", () => {
  const hook = repository();
  vi.stubEnv("GIT_DIR", join(hook.directory, ".git"));
  expect(gitCommit(temporaryDirectory())).toBeUndefined();
});

test("leaves the index as it is, though it is out of date", () => {
  const { directory, commit } = repository();
  utimesSync(join(directory, "a"), 1, 1);
  const index = () => readFileSync(join(directory, ".git", "index"));
  const before = index();
  expect(gitCommit(directory)).toBe(commit);
  expect(index()).toEqual(before);
});
