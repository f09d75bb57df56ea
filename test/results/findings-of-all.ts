// Findings of many experiments by few questions to Python, whose start costs more than what is asked.
import type { Findings } from "../../src/record/findings-document.js";
import type { Statistics, StatisticsRequest } from "../../src/record/statistics-document.js";
import { makeFindings } from "../../src/results/make-findings.js";
import { measure, requestOf } from "../../src/results/measures.js";
import type { PlannedExperiment } from "../../src/results/planned-experiment.js";
import type { TimedRun } from "../../src/results/recorded-experiment.js";
import { computeStatistics } from "../../src/results/statistics.js";
import { warmPython } from "../warm-python/python.js";

export interface Asked {
  readonly runs: readonly TimedRun[];
  readonly planned: PlannedExperiment;
}

const AT_ONCE = 50;

/** The findings of each, told apart by name and family. */
export async function findingsOfAll(all: readonly Asked[]): Promise<Findings[]> {
  const asked = all.map(({ runs, planned }) => ({ runs, measures: measure(planned, runs) }));
  const found: Findings[] = [];
  for (let first = 0; first < asked.length; first += AT_ONCE) {
    const some = asked.slice(first, first + AT_ONCE);
    const answers = await answersTo(some.map(({ measures }) => requestOf(measures)));
    found.push(...some.map(({ runs, measures }, at) => makeFindings(measures, answers[at], runs)));
  }
  return found;
}

async function answersTo(requests: readonly StatisticsRequest[]): Promise<Statistics[]> {
  const { signal } = new AbortController();
  const inOne = {
    samples: requests.flatMap(({ samples }) => samples),
    comparisons: requests.flatMap(({ comparisons }, at) =>
      comparisons.map((one) => ({ ...one, family: one.family && `${one.family} ${at}` })),
    ),
  };
  const { confidence, ...answer } = await computeStatistics(inOne, { python: warmPython, signal });
  const [samples, comparisons] = [[...answer.samples], [...answer.comparisons]];
  return requests.map((request) => ({
    confidence,
    samples: samples.splice(0, request.samples.length),
    comparisons: comparisons.splice(0, request.comparisons.length),
  }));
}
