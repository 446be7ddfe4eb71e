//// descent
static long sum_at(const char **at);
static long factor_at(const char **at) {
    long value = 0;
    if (**at == '(') {
        (*at)++;
        value = sum_at(at);
        (*at)++;
        return value;
    }
    while (**at >= '0' && **at <= '9') { value = value * 10 + (*(*at)++ - '0'); }
    COUNT();
    return value;
}
static long product_at(const char **at) {
    long value = factor_at(at);
    while (**at == '*') { (*at)++; value *= factor_at(at); }
    return value;
}
static long sum_at(const char **at) {
    long value = product_at(at);
    while (**at == '+' || **at == '-') {
        char sign = *(*at)++;
        if (sign == '+') { value += product_at(at); } else { value -= product_at(at); }
    }
    return value;
}
----
const char *at = s;
r = sum_at(&at);

//// two stacks
static int rank_of(char c) { return c == '*' ? 2 : c == '+' || c == '-' ? 1 : 0; }
static long apply(char c, long x, long y) {
    COUNT();
    switch (c) {
        case '+': return x + y;
        case '-': return x - y;
        default: return x * y;
    }
}
----
long values[40];
char operators[64];
int v = 0, o = 0;
for (char *at = s; *at;) {
    if (*at >= '0' && *at <= '9') {
        long number = 0;
        while (*at >= '0' && *at <= '9') { number = number * 10 + (*at - '0'); at++; }
        values[v++] = number;
    } else {
        if (*at == '(') { operators[o++] = *at; }
        else {
            while (o > 0 && operators[o - 1] != '(' && (*at == ')' || rank_of(operators[o - 1]) >= rank_of(*at))) {
                v--;
                values[v - 1] = apply(operators[--o], values[v - 1], values[v]);
            }
            if (*at == ')') { o--; } else { operators[o++] = *at; }
        }
        at++;
    }
}
while (o > 0) { v--; values[v - 1] = apply(operators[--o], values[v - 1], values[v]); }
r = values[0];

//// climbing
static long climb(const char *text, int *at, int least) {
    long left = 0;
    if (text[*at] == '(') { *at += 1; left = climb(text, at, 1); *at += 1; }
    else { while (text[*at] >= '0' && text[*at] <= '9') { left = left * 10 + text[*at] - '0'; *at += 1; } }
    for (;;) {
        char c = text[*at];
        int rank = c == '*' ? 2 : c == '+' || c == '-' ? 1 : 0;
        if (rank < least || rank == 0) { return left; }
        *at += 1;
        long right = climb(text, at, rank + 1);
        COUNT();
        if (c == '*') { left *= right; }
        else { left = c == '+' ? left + right : left - right; }
    }
}
----
int at = 0;
r = climb(s, &at, 1);

//// postfix
long code[80], stack[40];
char operators[64];
int length = 0, waiting = 0, depth = 0, i = 0;
while (1) {
    char c = s[i];
    if (c >= '0' && c <= '9') {
        long number = 0;
        while (s[i] >= '0' && s[i] <= '9') { number = 10 * number + (s[i++] - '0'); }
        code[length++] = number;
        continue;
    }
    if (c == '(') { operators[waiting++] = c; }
    else {
        while (waiting > 0 && operators[waiting - 1] != '(' && (c != '*' || operators[waiting - 1] == '*')) {
            code[length++] = -(long)operators[--waiting];
        }
        if (c == 0) { break; }
        if (c == ')') { waiting--; } else { operators[waiting++] = c; }
    }
    i++;
}
for (int k = 0; k < length; k++) {
    COUNT();
    if (code[k] >= 0) { stack[depth++] = code[k]; continue; }
    depth--;
    if (code[k] == -'+') { stack[depth - 1] += stack[depth]; }
    else if (code[k] == -'-') { stack[depth - 1] -= stack[depth]; }
    else { stack[depth - 1] *= stack[depth]; }
}
r = stack[0];
