/* faults: a library that is preloaded into a server and, when told so, makes the system lie or fail.
 *
 * FAULTS_TOLD names a file of two 64-bit words that the test also writes:
 *
 *     0  seconds by which the wall clock is wrong; the monotonic one never is
 *     1  errno with which fsync and fdatasync fail; 0: they do not
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *told;

__attribute__((constructor)) static void map_file(void)
{
    const char *path = getenv("FAULTS_TOLD");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *mapped = mmap(NULL, 2 * sizeof *told, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED)
        told = mapped;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && told && clock == CLOCK_REALTIME)
        now->tv_sec += told[0];
    return result;
}

static int fails(void)
{
    if (!told || !told[1])
        return 0;
    errno = (int)told[1];
    return 1;
}

int fsync(int file)
{
    return fails() ? -1 : (int)syscall(SYS_fsync, file);
}

int fdatasync(int file)
{
    return fails() ? -1 : (int)syscall(SYS_fdatasync, file);
}
