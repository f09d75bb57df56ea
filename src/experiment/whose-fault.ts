/** Whether a run failed for what it is, or for what its backend lacks: then another one may do it. */
import { BackendError, type ErrorCode } from "../backend/errors.js";
import { IbatchError } from "../errors.js";
import { OtherSurroundings } from "./surroundings.js";

/** What one machine may lack and another one have. Memory is among it: what fits nowhere is told by all of them. */
const MACHINES_OWN: ReadonlySet<ErrorCode> = new Set([
  "bad_version",
  "not_allowed",
  "module_missing",
  "data_missing",
  "data_damaged",
  "no_device",
  "no_shared_memory",
  "out_of_memory",
]);

/** What was thrown first: an error that says where was made of it. */
const causeOf = (error: unknown): unknown => (error instanceof IbatchError ? (error.cause ?? error) : error);

const codeOf = (error: unknown): ErrorCode | undefined => {
  const cause = causeOf(error);
  return cause instanceof BackendError ? cause.code : undefined;
};

export const isMachinesOwn = (error: unknown): boolean => {
  const code = codeOf(error);
  return code !== undefined && MACHINES_OWN.has(code);
};

/** Another controller is at work there, which ends some time. */
export const isBusy = (error: unknown): boolean => codeOf(error) === "session_busy";

/** It computes otherwise, or has other data or code, than what is there. */
export const isOtherwise = (error: unknown): boolean => causeOf(error) instanceof OtherSurroundings;

/** Another machine may do what this one cannot, or not just now. */
export const isOfMachine = (error: unknown): boolean => {
  if (isMachinesOwn(error) || isOtherwise(error)) return true;
  return error instanceof IbatchError && error.kind === "surroundings";
};
