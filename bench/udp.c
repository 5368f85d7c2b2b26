#include "bench/udp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 16 << 20, CONTROL = CMSG_SPACE(sizeof(struct in_pktinfo)) };

/* What the kernel wants to see for a batch. */
struct batch {
    struct mmsghdr m[UDP_BATCH];
    struct iovec iov[UDP_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[UDP_BATCH][CONTROL];
};

int udp_open(uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1, size = BUFFER, saved;

    if (fd < 0)
        return -1;
    /* Beyond the machine's limit where we may; as much as it gives otherwise. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&any, sizeof any) < 0) {
        saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static uint32_t own_address(struct msghdr *h)
{
    struct in_pktinfo info;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&info, CMSG_DATA(c), sizeof info);
            return ntohl(info.ipi_addr.s_addr);
        }
    }
    return 0;
}

size_t udp_receive(int fd, struct udp_packet *p)
{
    struct batch b = {0};
    size_t n = 0;
    int got;

    for (size_t i = 0; i < UDP_BATCH; i++) {
        b.iov[i] = (struct iovec){.iov_base = p[i].data, .iov_len = UDP_ROOM};
        b.m[i].msg_hdr = (struct msghdr){.msg_name = &p[i].peer,
                                         .msg_namelen = sizeof p[i].peer,
                                         .msg_iov = &b.iov[i],
                                         .msg_iovlen = 1,
                                         .msg_control = b.control[i],
                                         .msg_controllen = CONTROL};
    }
    got = recvmmsg(fd, b.m, UDP_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
        if (b.m[i].msg_hdr.msg_flags & MSG_TRUNC)
            continue;
        p[i].own = own_address(&b.m[i].msg_hdr);
        p[i].n = b.m[i].msg_len;
        if (n != (size_t)i) /* a longer one was left out */
            p[n] = p[i];
        n++;
    }
    return n;
}

static void set_own(struct msghdr *h, uint8_t *control, uint32_t own)
{
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(own)};
    struct cmsghdr *c;

    h->msg_control = control;
    h->msg_controllen = CONTROL;
    c = CMSG_FIRSTHDR(h);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
    memcpy(CMSG_DATA(c), &info, sizeof info);
}

void udp_send(int fd, const struct udp_packet *p, size_t n)
{
    struct batch b = {0};
    struct pollfd room = {.fd = fd, .events = POLLOUT};
    int sent;

    for (size_t i = 0; i < n; i++) {
        b.iov[i] = (struct iovec){.iov_base = (void *)p[i].data, .iov_len = p[i].n};
        b.m[i].msg_hdr = (struct msghdr){
            .msg_name = (void *)&p[i].peer, .msg_namelen = sizeof p[i].peer, .msg_iov = &b.iov[i], .msg_iovlen = 1};
        if (p[i].own)
            set_own(&b.m[i].msg_hdr, b.control[i], p[i].own);
    }
    for (size_t done = 0; done < n;) {
        sent = sendmmsg(fd, b.m + done, (unsigned)(n - done), MSG_DONTWAIT);
        if (sent > 0)
            done += (size_t)sent;
        else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
            poll(&room, 1, 10);
        else if (errno != EINTR)
            done++;
    }
}
