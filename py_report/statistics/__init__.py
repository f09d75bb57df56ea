"""Statistics of an experiment: python -m py_report.statistics reads one JSON document on standard input (`Request`)
and writes one on standard output (`Answer`). It knows nothing of networks and never imports torch.

Values belong to seeds, and every test is over the differences arm - baseline of seeds that have both. The paired t test
carries the claim; the exact signed-rank test stands beside it with the smallest p that it can give, and claims where a
run diverged. Holm corrects what may claim.

What has no answer is null, never NaN: everything of an empty sample, the spread of one value, intervals and tests of
fewer than three values (one degree of freedom bounds nothing) and where all values are equal (their spread says nothing
about the next seed's). `Difference.lack` says which it was.

Exit codes: 0 answered, 2 the request is wrong, 4 a package is missing.
"""
