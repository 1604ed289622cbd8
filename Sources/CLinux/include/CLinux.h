// SPDX-License-Identifier: Apache-2.0
// What the program needs of Linux and Swift's Glibc module cannot give: functions that need
// _GNU_SOURCE, macros over structures, and headers that are not in its module map.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// `POSIX_SPAWN_SETSID`: the child becomes the leader of a new session.
short clinux_spawn_setsid(void);

/// Closes every descriptor from `first` on. Returns 0, or -1 with errno set.
int clinux_close_from(unsigned int first);

/// Makes this process the parent of every orphan among its descendants. Returns 0 or -1 with errno set.
int clinux_become_subreaper(void);

/// Blocks the given signals and returns a descriptor that reads them (close on exec, non-blocking), or -1.
int clinux_signal_descriptor(const int *signals, size_t count);

/// Reads one signal's number from a signal descriptor; 0 when none is waiting.
int clinux_read_signal(int descriptor);

/// A pipe with both ends close-on-exec. Returns 0, or -1 with errno set.
int clinux_pipe(int ends[2]);

/// The version of the messages between processes of this program.
uint16_t clinux_message_version(void);

/// Sends a message, with a descriptor when `passed` is not negative. Never blocks (EAGAIN), never raises SIGPIPE. Returns
/// its length, or -1 with errno set.
ssize_t clinux_send(int socket, const void *bytes, size_t count, int passed);

/// Receives a message; `*passed` is a descriptor that came with it (close on exec), or -1. Never blocks (EAGAIN). Returns
/// its length, 0 when the other side has gone, or -1 with errno set.
ssize_t clinux_receive(int socket, void *bytes, size_t count, int *passed);

/// Binds a listening sequenced-packet socket in the directory `directory`. Returns it, or -1 with errno set.
int clinux_listen(int directory, const char *name);

/// Two connected sockets of that kind, both close-on-exec. Returns 0, or -1 with errno set.
int clinux_socket_pair(int ends[2]);

/// Accepts a connection (close on exec). Returns it, or -1 with errno set.
int clinux_accept(int listener);

/// Connects to such a socket. Returns the connection, or -1 with errno set.
int clinux_connect(int directory, const char *name);

/// Lets SIGALRM interrupt a blocking call from `milliseconds` on, again every 10 ms, until cancelled with 0.
void clinux_alarm_after(long milliseconds);

/// Gives the pages of all program code back to the page cache; what is executed again comes back from there.
void clinux_drop_code_pages(void);

/// The two numbers of a device: macros to C, and so unknown to Swift.
unsigned int clinux_major(unsigned long long device);
unsigned int clinux_minor(unsigned long long device);

/// Whether the kernel says that its clock follows another one: 1, 0, or -1 when it does not say.
int clinux_clock_is_synchronised(void);

/// Reads the label of a file that SELinux goes by. Returns its length, or -1 when it has none.
ssize_t clinux_selinux_label(const char *path, char *label, size_t size);

/// Thaws the filesystem that `descriptor` lies on (FITHAW). Returns 0, or -1 with errno set.
int clinux_thaw_filesystem(int descriptor);

#endif
