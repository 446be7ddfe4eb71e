// Looking for an element.
//: find any
int found = n;
for (int i = 0; i < n; i++)
  if (b[i] + c[i] > 29) {
    found = i;
    break;
  }
return (T)found;
//: place-of-largest any
int place = 0;
for (int i = 1; i < n; i++)
  if (b[i] > b[place]) place = i;
return (T)place;
//: mismatch any
int i = 0;
while (i < n && b[i] != c[i] + 15) i++;
return (T)i;
//: any-match any
int any = 0;
for (int i = 0; i < n; i++) any |= b[i] == 11;
return (T)any;
//: last-match any
int last = -1;
for (int i = 0; i < n; i++)
  if (b[i] == 3) last = i;
return (T)last;
//: count-between any
int count = 0;
for (int i = 0; i < n; i++) count += b[i] > 2 && b[i] < 9;
return (T)count;
