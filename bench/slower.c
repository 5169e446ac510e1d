/* Makes a disk slower: every fsync and fdatasync of the process that this is loaded into takes
 * STRONGROOM_BENCH_SLOWER microseconds longer. Loaded with LD_PRELOAD, for measuring only. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

static void wait_longer(void) {
    const char *text = getenv("STRONGROOM_BENCH_SLOWER");
    long micros = text ? atol(text) : 0;
    struct timespec longer = {micros / 1000000, micros % 1000000 * 1000};
    nanosleep(&longer, NULL);
}

int fsync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_longer();
    return real(file);
}

int fdatasync(int file) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_longer();
    return real(file);
}
