"""Not a test: how the coefficients in src/kernels/plain/exponential.ts were made.

They are of Q in ln(1 + t) = t + t²·Q(t), for 1 + t from √½ to √2.

Least squares at Chebyshev's points, weighted by the relative error and reweighted (Lawson 1961) until the largest error
is as small as it gets; then rounded to float32. Run: python test/kernels/fit_log.py
"""

import numpy as np

DEGREE = 7
LOW, HIGH = np.sqrt(0.5) - 1, np.sqrt(2) - 1


def fit(degree: int) -> np.ndarray:
    """Coefficients of Q, the highest power first."""
    points = 4000  # an even number, so that none is t = 0
    t = (LOW + HIGH) / 2 + (HIGH - LOW) / 2 * np.cos(np.pi * (np.arange(points) + 0.5) / points)
    wanted = (np.log1p(t) - t) / t**2
    relative = np.abs(t**2 / np.log1p(t))
    importance = np.ones(points)
    powers = np.vander(t, degree + 1)
    for _ in range(200):
        weight = np.sqrt(importance) * relative
        coefficients = np.linalg.lstsq(powers * weight[:, None], wanted * weight, rcond=None)[0]
        importance *= np.abs(powers @ coefficients - wanted) * relative + 1e-30
        importance /= importance.sum()
    return coefficients


if __name__ == "__main__":
    rounded = fit(DEGREE).astype(np.float32)
    t = np.linspace(LOW, HIGH, 100_001)
    t = t[t != 0]
    error = np.abs((t + t**2 * np.polyval(rounded.astype(np.float64), t)) / np.log1p(t) - 1).max()
    print(", ".join(str(value) for value in rounded))
    print(f"largest relative error before rounding of the steps: {error:.1e}")
