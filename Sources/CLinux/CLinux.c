// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "CLinux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

int clinux_close_from(unsigned int first) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return 0;
    // close_range came with Linux 5.9; RHEL 8 has 4.18.
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        return -1;
    struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char *end;
        long number = strtol(entry->d_name, &end, 10);
        if (end != entry->d_name && *end == '\0' && number >= (long)first && number != dirfd(directory))
            close((int)number);
    }
    closedir(directory);
    return 0;
}

int clinux_random(void *bytes, size_t count) {
    // The system call: getrandom(3) is younger than the C library of some systems. GRND_NONBLOCK is 1 (random.h).
    return syscall(SYS_getrandom, bytes, count, 1) == (long)count ? 0 : -1;
}

int clinux_is_secure_execution(void) { return getauxval(AT_SECURE) != 0; }

void clinux_set_process_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

int clinux_become_subreaper(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int clinux_signal_descriptor(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    // SIG_SETMASK: a mask inherited from the caller must not block other signals, such as SIGALRM.
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_take_signal(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++)
        sigaddset(&set, signals[i]);
    struct timespec now = {0, 0};
    int signal = sigtimedwait(&set, NULL, &now);
    return signal > 0 ? signal : 0;
}

int clinux_read_signal(int descriptor) {
    struct signalfd_siginfo info;
    if (read(descriptor, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    return (int)info.ssi_signo;
}

int clinux_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

ssize_t clinux_send(int socket, const void *bytes, size_t count, int passed) {
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &passed, sizeof(int));
    }
    ssize_t result;
    do
        result = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (result < 0 && errno == EINTR);
    return result;
}

ssize_t clinux_receive(int socket, void *bytes, size_t count, int *passed) {
    struct iovec part = {.iov_base = bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
        // Not CMSG_SPACE: its padding has room for a second descriptor, which nobody would close.
        .msg_controllen = CMSG_LEN(sizeof(int))};
    *passed = -1;
    ssize_t result;
    do
        result = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (result < 0 && errno == EINTR);
    if (result < 0)
        return result;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS)
        memcpy(passed, CMSG_DATA(header), sizeof(int));
    return result;
}

// sun_path holds 108 bytes and a run directory's path may be longer: go through the directory's descriptor.
static int unix_address(struct sockaddr_un *address, int directory, const char *name) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof address->sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

static int close_keeping_errno(int descriptor) {
    int reason = errno;
    close(descriptor);
    errno = reason;
    return -1;
}

int clinux_listen(int directory, const char *name) {
    struct sockaddr_un address;
    if (unix_address(&address, directory, name) != 0)
        return -1;
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    if (bind(descriptor, (const struct sockaddr *)&address, sizeof address) != 0)
        return close_keeping_errno(descriptor);
    if (listen(descriptor, 16) != 0) {
        int reason = errno;
        unlinkat(directory, name, 0);
        errno = reason;
        return close_keeping_errno(descriptor);
    }
    return descriptor;
}

int clinux_socket_pair(int ends[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends); }

int clinux_accept(int listener) { return accept4(listener, NULL, NULL, SOCK_CLOEXEC); }

int clinux_connect(int directory, const char *name, long milliseconds) {
    struct sockaddr_un address;
    if (unix_address(&address, directory, name) != 0)
        return -1;
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    // A listener whose backlog is full lets connect(2) wait for as long as this option says.
    struct timeval limit = {.tv_sec = milliseconds / 1000, .tv_usec = (milliseconds % 1000) * 1000};
    if (setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
        connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0)
        return close_keeping_errno(descriptor);
    return descriptor;
}

pid_t clinux_peer(int socket) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

static void interrupted(int signal) { (void)signal; }

void clinux_alarm_after(long milliseconds) {
    struct itimerval timer = {{0, 0}, {0, 0}};
    if (milliseconds > 0) {
        // Without SA_RESTART the blocked call returns EINTR. The timer repeats: its first signal may come
        // before the call has begun.
        struct sigaction action = {.sa_handler = interrupted};
        sigaction(SIGALRM, &action, NULL);
        timer.it_value.tv_sec = milliseconds / 1000;
        timer.it_value.tv_usec = (milliseconds % 1000) * 1000;
        timer.it_interval.tv_usec = 10000;
    }
    setitimer(ITIMER_REAL, &timer, NULL);
}

static int drop_code_segments(struct dl_phdr_info *object, size_t size, void *data) {
    (void)size;
    (void)data;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        // Only code that was never written: a dropped page of data would come back without its relocations.
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) || (segment->p_flags & PF_W))
            continue;
        uintptr_t start = (object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 0;
}

void clinux_drop_code_pages(void) { dl_iterate_phdr(drop_code_segments, NULL); }

unsigned int clinux_major(unsigned long long device) { return major(device); }

unsigned int clinux_minor(unsigned long long device) { return minor(device); }

int clinux_thaw_filesystem(int descriptor) { return ioctl(descriptor, FITHAW, 0); }

int clinux_clock_is_synchronised(void) {
    struct timex state = {.modes = 0};
    if (adjtimex(&state) < 0)
        return -1;
    return (state.status & STA_UNSYNC) == 0;
}

ssize_t clinux_selinux_label(const char *path, int follows, char *label, size_t size) {
    const char *name = "security.selinux";
    return follows ? getxattr(path, name, label, size) : lgetxattr(path, name, label, size);
}

int clinux_process_descriptor(pid_t process) {
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, process, 0);
#else
    (void)process;
    errno = ENOSYS;
    return -1;
#endif
}

ssize_t clinux_access_list(const char *path, int descriptor, void *list, size_t size) {
    const char *name = "system.posix_acl_access";
    if (path != NULL)
        return getxattr(path, name, list, size);
    ssize_t count = fgetxattr(descriptor, name, list, size);
    if (count >= 0 || errno != EBADF)
        return count;
    // A descriptor of O_PATH reads nothing itself.
    char link[sizeof "/proc/self/fd/" + 3 * sizeof descriptor];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    return getxattr(link, name, list, size);
}

int clinux_namespace_owner(int descriptor, uid_t *owner) {
    // linux/nsfs.h: _IO(0xb7, 0x4), from Linux 4.11 on.
    return ioctl(descriptor, _IO(0xb7, 0x4), owner);
}

int clinux_current_directory(void) { return AT_FDCWD; }

int clinux_open_path(int at, const char *path, int follows) {
    return openat(at, path, O_PATH | O_CLOEXEC | (follows ? 0 : O_NOFOLLOW));
}

int clinux_open_path_in_root(int root, const char *path, int follows) {
    // struct open_how of linux/openat2.h, which came with Linux 5.6; RHEL 8 has 4.18.
    struct {
        uint64_t flags;
        uint64_t mode;
        uint64_t resolve;
    } how = {.flags = O_PATH | O_CLOEXEC | (follows ? 0 : O_NOFOLLOW), .resolve = 0x10 /* RESOLVE_IN_ROOT */};
    long result;
    // EAGAIN: something was renamed while the kernel went through "..".
    for (int i = 0; i < 16; i++) {
        result = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (result >= 0 || errno != EAGAIN)
            break;
    }
    return (int)result;
}
