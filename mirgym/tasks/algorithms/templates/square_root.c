//// integers
long guess = (long)x, next = (guess + 1) / 2;
while (next < guess) { guess = next; next = (guess + (long)x / guess) / 2; COUNT(); }
r = guess;

//// tolerance
double guess = (double)x / 2 + 1, change = 1;
while (change > 1e-9 || change < -1e-9) {
    double better = 0.5 * (guess + (double)x / guess);
    change = guess - better;
    guess = better;
    COUNT();
}
r = (long)(guess + 1e-7);

//// recursive
static double improve(double value, double guess, int left) {
    COUNT();
    return left == 0 ? guess : improve(value, (guess + value / guess) / 2, left - 1);
}
----
r = (long)(improve((double)x, (double)x, 24) + 1e-7);

//// fixed steps
float value = (float)x, guess = value > 1 ? value * 0.5f : 1.0f;
for (int k = 0; k < 20; k++) { guess -= (guess * guess - value) / (2 * guess); COUNT(); }
r = (long)guess;
while (r * r > (long)x) { r--; }
while ((r + 1) * (r + 1) <= (long)x) { r++; }
