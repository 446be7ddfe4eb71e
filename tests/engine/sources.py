"""C and C++ programs that between them use most of what clang can put into a module."""

from __future__ import annotations

from pathlib import Path

LOOPS = r"""
#include <stdio.h>
#define N 24
static int a[N][N], b[N][N], c[N][N];
static void fill(int seed){ for(int i=0;i<N;i++)for(int j=0;j<N;j++){a[i][j]=i*seed+j;b[i][j]=i-j*seed;} }
static void mul(void){ for(int i=0;i<N;i++)for(int j=0;j<N;j++){int s=0;for(int k=0;k<N;k++)s+=a[i][k]*b[k][j];c[i][j]=s;} }
static int cmp(int x,int y){return x<y?-1:x>y;}
static void sort(int*v,int n){for(int i=0;i<n;i++)for(int j=0;j+1<n-i;j++)if(cmp(v[j],v[j+1])>0){int t=v[j];v[j]=v[j+1];v[j+1]=t;}}
static int find(const int*v,int n,int x){for(int i=0;i<n;i++){if(v[i]==x)return i;if(v[i]<0)break;}return -1;}
int main(int argc,char**argv){fill(argc);mul();sort(&c[0][0],N);long t=0;for(int i=0;i<N;i++)for(int j=0;j<N;j++)t+=c[i][j];printf("%ld %d\n",t,find(&c[0][0],N,3));return 0;}
"""
"""Loop nests, a bubble sort and a loop with two exits."""

STRINGS = r"""
#include <string.h>
#include <stdlib.h>
#include <stdio.h>
static const char *const names[]={"alpha","beta","gamma","delta","a much longer constant string that is copied"};
static const unsigned short table[256]={1,2,3,5,8,13,21,34,55,89,144,233,377,610,987,1597};
struct rec{char name[48];int id;double w;};
static void make(struct rec*r,int i){strcpy(r->name,"a prefix of sixteen bytes: ");strcat(r->name,names[i%5]+ (i&1));r->id=i;r->w=i*0.5;}
static unsigned hash(const char*s){unsigned h=5381;while(*s){h=h*33+(unsigned char)*s;h^=table[h&255];s++;}return h;}
int kind(int c){switch(c){case 'a':return 1;case 'b':return 7;case 'c':return 9;case 'd':return 2;case 'e':return 11;case 'x':return -4;default:return 0;}}
int big(int c){switch(c&15){case 0:puts("zero");return 3;case 1:puts("one");return 4;case 2:return hash("two");case 3:return hash("three");case 4:return c*c;case 5:return c/3;case 6:return c%7;case 7:return c<<3;case 8:return c>>2;case 9:return ~c;}return c;}
int main(int argc,char**argv){struct rec r[4];memset(r,0,sizeof r);for(int i=0;i<4;i++)make(&r[i],i+argc-1);struct rec q;memcpy(&q,&r[2],sizeof q);unsigned h=0;for(int i=0;i<4;i++)h=h*31+hash(r[i].name)+kind(r[i].name[i]);char*m=malloc(64);if(!m)return 1;memcpy(m,"constant text constant text constant text",42);h+=hash(m);free(m);printf("%u %s %d\n",h+big(h),q.name,q.id);return 0;}
"""
"""Constant strings and tables, copies, switches."""

FEATURES = r"""
#include <stdarg.h>
#include <stdio.h>
__thread int counter; static __thread long hidden=3;
__attribute__((section(".text.special"))) int special(int x){return x*x+1;}
__attribute__((section("mycode"))) int elsewhere(int x){return x*7-1;}
__attribute__((cold,noinline)) void fail(const char*m){fprintf(stderr,"%s\n",m);counter++;}
__attribute__((hot)) int hotone(int x){for(int i=0;i<x;i++)x^=i*3;return x;}
__attribute__((weak)) int weakling(int x){return x+counter;}
int aliased(int x){counter+=x;return counter*2;}
int alias_name(int)__attribute__((alias("aliased")));
static int __attribute__((noinline)) tail(int x){return x<0?-x:x*3;}
static int __attribute__((noinline)) tail2(int x){if(x>100)fail("big");return tail(x+1);}
int sum(int n,...){va_list ap;va_start(ap,n);int s=0;while(n--)s+=va_arg(ap,int);va_end(ap);return s;}
int rot(int x){__asm__("rorl $3, %0":"+r"(x)::"cc");return x;}
int interp(const unsigned char*p){static void*const ops[]={&&o0,&&o1,&&o2,&&o3};int acc=0;goto *ops[*p++&3];
 o0:acc+=1;goto *ops[*p++&3]; o1:acc*=2;goto *ops[*p++&3]; o2:acc-=3;if(acc>1000)goto o3;goto *ops[*p++&3]; o3:return acc;}
static inline int never(int x){return x;}
__attribute__((always_inline)) static inline int always(int x){return x*x-x;}
__attribute__((constructor)) static void init(void){hidden=5;}
typedef int (*fn)(int); static const fn fns[]={special,elsewhere,hotone,tail,tail2};
int main(int argc,char**argv){unsigned char code[]={0,1,0,1,2,0,3};int t=0;for(int i=0;i<5;i++)t+=fns[i](i+argc);printf("%d %d %d %d %ld\n",t,sum(3,1,2,always(argc)),rot(argc),interp(code),hidden+weakling(alias_name(2)));if(argc>9){fail("args");return tail2(argc);}return 0;}
"""
"""Sections, cold and weak functions, aliases, threads, assembly, computed goto, varargs."""

FLOATS = r"""
#include <math.h>
#include <stdio.h>
typedef struct{double x,y,z;}v3; static v3 add(v3 a,v3 b){return (v3){a.x+b.x,a.y+b.y,a.z+b.z};}
static double dot(v3 a,v3 b){return a.x*b.x+a.y*b.y+a.z*b.z;}
static void fft(double*re,double*im,int n){if(n<2)return;double er[32],ei[32],orr[32],oi[32];for(int i=0;i<n/2;i++){er[i]=re[2*i];ei[i]=im[2*i];orr[i]=re[2*i+1];oi[i]=im[2*i+1];}fft(er,ei,n/2);fft(orr,oi,n/2);for(int k=0;k<n/2;k++){double t=-2*3.14159265358979*k/n,c=cos(t),s=sin(t);double xr=c*orr[k]-s*oi[k],xi=c*oi[k]+s*orr[k];re[k]=er[k]+xr;im[k]=ei[k]+xi;re[k+n/2]=er[k]-xr;im[k+n/2]=ei[k]-xi;}}
float mix(float a,unsigned char b,long long c,unsigned u){return (a>0.5f?a*b:(float)c)-(float)u+(int)a;}
int main(void){double re[32],im[32];for(int i=0;i<32;i++){re[i]=i%5;im[i]=0;}fft(re,im,32);v3 p={0,1,2},q={.5,.25,.125};for(int i=0;i<10;i++)p=add(p,q);printf("%.6f %.6f %.6f %.3f\n",re[3],im[5],dot(p,q),mix(0.25f,3,4,5));return 0;}
"""
"""Floating point, structures by value, recursion."""

CPP = r"""
#include <stdexcept>
#include <vector>
#include <string>
#include <memory>
#include <cstdio>
struct Base{virtual ~Base(){} virtual int go(int x)const=0;};
struct A:Base{int k;A(int k):k(k){} int go(int x)const override{if(x>k)throw std::runtime_error("too big");return x*k;}};
struct B:Base{int go(int x)const override{return x-1;}};
template<class T> T sum(const std::vector<T>&v){T s{};for(auto&x:v)s+=x;return s;}
static int guarded(const Base&b,int x){try{return b.go(x);}catch(const std::runtime_error&e){return -1;}catch(...){return -2;}}
inline int shared_inline(int x){static int calls=0;return ++calls*x;}
int main(int argc,char**){std::vector<int>v;std::vector<double>w;for(int i=0;i<10;i++){v.push_back(i*argc);w.push_back(i*.5);}
std::unique_ptr<Base>p(new A(4));B b;int t=0;for(int x:v)t+=guarded(*p,x)+guarded(b,x)+shared_inline(x);std::string s="abc";s+=std::to_string(t);std::printf("%s %d %f\n",s.c_str(),sum(v),sum(w));return 0;}
"""
"""Exceptions, virtual functions, templates, comdats."""

TINY = "int twice(int x) { return x + x; } int four(int x) { return twice(twice(x)); }\n"

C_SOURCES = {"loops": LOOPS, "strings": STRINGS, "features": FEATURES, "floats": FLOATS}

MIRBENCH = Path(__file__).parents[2] / "mirgym" / "programs" / "mirbench"


def mirbench_sources(count: int) -> list[Path]:
    """Up to ``count`` of the bundled programs, spread over the alphabet."""
    paths = sorted(MIRBENCH.glob("*.c"))
    return paths[:: max(1, len(paths) // count)][:count]


def inlining_bomb(doublings: int) -> str:
    """A program that the always-inliner makes ``2 ** doublings`` times as large."""
    lines = ["static inline __attribute__((always_inline)) int f0(int x) { return x * x + 3; }"]
    for i in range(1, doublings + 1):
        call = f"f{i - 1}(x) ^ f{i - 1}(x + {i})"
        head = "static inline __attribute__((always_inline))" if i < doublings else ""
        lines.append(f"{head} int f{i}(int x) {{ return {call}; }}")
    return "\n".join(lines)
