// SPDX-License-Identifier: Apache-2.0
// Functions of Linux that Swift's Glibc module lacks: those behind _GNU_SOURCE, macros over structures, and headers
// outside its module map.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A line that a new process writes before it executes its program.
struct clinux_note {
    int descriptor;
    /// The line up to the process, whose id and start time (clock ticks since boot) follow, separated by a tab.
    const char *prefix;
    size_t count;
    /// The errno of a write that failed; 0 where the line is there.
    int error;
};

/// A program to start, and the state of its process.
struct clinux_program {
    /// The file; PATH is not searched.
    const char *path;
    /// The arguments and the entries `NAME=value` of the environment, each with NULL at the end.
    char *const *arguments, *const *environment;
    /// The descriptors that become 0, 1 and 2, which are none of these; -1 opens /dev/null.
    int descriptors[3];
    mode_t umask;
    /// The signals that this process ignores.
    const int *ignored_signals;
    size_t ignored_count;
    /// The number of descriptors that the program may open: the soft and the hard limit. 0 leaves this process's own.
    int sets_descriptor_limit;
    unsigned long descriptor_limit[2];
    struct clinux_note *notes;
    size_t note_count;
    /// Not 0 for a process of which others must know: where no note is written it dies with this one.
    int must_be_noted;
};

/// Starts a program in a session of its own, with default signal dispositions, an empty mask, and no descriptor above 2
/// but those that stay open over execve(2). Returns the process id, or a negative errno, also that of execve(2).
pid_t clinux_start(const struct clinux_program *program);

/// Closes every descriptor from `first` on. Returns 0, or -1 with errno set.
int clinux_close_from(unsigned int first);

/// Fills a buffer with random bytes of the kernel, without waiting for them. Returns 0, or -1 when there are none yet.
int clinux_random(void *bytes, size_t count);

/// Whether the kernel has set AT_SECURE (getauxval(3)): the program has rights that its caller lacks.
int clinux_is_secure_execution(void);

/// Names this process (`/proc/PID/comm`); 15 bytes count.
void clinux_set_process_name(const char *name);

/// Makes this process the parent of every orphan among its descendants. Returns 0 or -1 with errno set.
int clinux_become_subreaper(void);

/// Blocks the given signals and returns a descriptor that reads them (close on exec, non-blocking), or -1.
int clinux_signal_descriptor(const int *signals, size_t count);

/// Takes one pending signal among the given, which are blocked; 0 when none is pending.
int clinux_take_signal(const int *signals, size_t count);

/// Reads the number of one signal from a signal descriptor; 0 when none is pending.
int clinux_read_signal(int descriptor);

/// A descriptor that can be read when the process has ended (pidfd_open(2), close on exec), or -1 with errno set: ENOSYS
/// before Linux 5.3.
int clinux_process_descriptor(pid_t process);

/// Makes a pipe with both ends close-on-exec. Returns 0, or -1 with errno set.
int clinux_pipe(int ends[2]);

/// The version of the messages between processes of this program.
uint16_t clinux_message_version(void);

/// Sends a message, with a descriptor when `passed` is not negative. Never blocks (EAGAIN), never raises SIGPIPE.
/// Returns the message's length, or -1 with errno set.
ssize_t clinux_send(int socket, const void *bytes, size_t count, int passed);

/// Receives a message; `*passed` is a descriptor that came with it (close on exec), or -1. Never blocks (EAGAIN).
/// Returns the message's length, 0 when the other side has gone, or -1 with errno set.
ssize_t clinux_receive(int socket, void *bytes, size_t count, int *passed);

/// Binds a listening sequenced-packet socket in a directory. Returns the socket (close on exec), or -1 with errno set.
int clinux_listen(int directory, const char *name);

/// Makes two connected sequenced-packet sockets, both close-on-exec. Returns 0, or -1 with errno set.
int clinux_socket_pair(int ends[2]);

/// Accepts a connection. Returns its socket (close on exec), or -1 with errno set.
int clinux_accept(int listener);

/// Connects to the listening socket `name` in a directory. Returns the connection (close on exec), or -1 with errno
/// set: EAGAIN when the listener's backlog stays full for the milliseconds, of which 0 stands for ever.
int clinux_connect(int directory, const char *name, long milliseconds);

/// The process behind a connected socket of AF_UNIX (SO_PEERCRED): who listened, or made the pair. 0 when the kernel
/// does not say.
pid_t clinux_peer(int socket);

/// Lets SIGALRM interrupt a blocking call from `milliseconds` on, again every 10 ms, until cancelled with 0.
void clinux_alarm_after(long milliseconds);

/// Drops the pages of all program code from this process; the page cache returns those that are executed again.
void clinux_drop_code_pages(void);

/// The major and minor numbers of a device (makedev(3)): macros, which Swift cannot import.
unsigned int clinux_major(unsigned long long device);
unsigned int clinux_minor(unsigned long long device);

/// Whether the kernel's clock is synchronised (adjtimex(2)): 1 or 0; -1 with errno set when the kernel does not say.
int clinux_clock_is_synchronised(void);

/// Reads the SELinux label of a file, of a link itself unless it `follows` links. Returns its length, or -1 with errno
/// set, as for a file without a label.
ssize_t clinux_selinux_label(const char *path, int follows, char *label, size_t size);

/// Opens `path` below the directory `at` (or AT_FDCWD) with O_PATH: nothing is waited for, and a device does nothing.
/// Returns the descriptor (close on exec), or -1 with errno set.
int clinux_open_path(int at, const char *path, int follows);

/// The same with the directory `root` as `/` (openat2(2), RESOLVE_IN_ROOT). Fails with ENOSYS before Linux 5.6.
int clinux_open_path_in_root(int root, const char *path, int follows);

/// The user who made a user namespace, by its open file (ioctl_ns(2), NS_GET_OWNER_UID). Returns 0, or -1 with errno set.
int clinux_namespace_owner(int descriptor, uid_t *owner);

/// The current directory, for calls that take a directory's descriptor.
int clinux_current_directory(void);

/// Reads the POSIX access control list of the file at `path`, or of the open file, also one of O_PATH,
/// when `path` is NULL (`system.posix_acl_access`). Returns its length, or -1 with errno set, as for a file without a list.
ssize_t clinux_access_list(const char *path, int descriptor, void *list, size_t size);

/// Thaws the filesystem that `descriptor` lies on (FITHAW). Returns 0, or -1 with errno set.
int clinux_thaw_filesystem(int descriptor);

/// The number of this process's arguments, the program's own name among them.
int clinux_argument_count(void);

/// The argument of this number, from 0; NULL when there is none.
const char *clinux_argument(int index);

#endif
