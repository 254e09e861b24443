/* The few pieces of RFC 6455 that both ends of a benchmark need.
 *
 * Every handshake uses the sample key of the RFC, so that its answer is a constant and no SHA-1 is needed.
 */
#ifndef RMOS_BENCH_WEBSOCKET_H
#define RMOS_BENCH_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SAMPLE_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define SAMPLE_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

enum { OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { FRAME_HEAD_MAX = 14 };

typedef struct {
    uint64_t length; /* of the payload */
    uint8_t opcode;
    uint8_t compressed;
    uint8_t size; /* of the head itself */
} frame_head;

/* Reads the head of a frame from `available` bytes. Returns 0 while it is not all there. */
static inline int frame_parse(const uint8_t *bytes, size_t available, frame_head *head)
{
    if (available < 2)
        return 0;
    uint8_t shortest = bytes[1] & 127, masked = bytes[1] >> 7;
    size_t size = (shortest == 126 ? 4 : shortest == 127 ? 10 : 2) + (masked ? 4 : 0);
    if (available < size)
        return 0;
    head->opcode = bytes[0] & 15;
    head->compressed = bytes[0] >> 6 & 1;
    head->size = (uint8_t)size;
    head->length = shortest;
    if (shortest == 126) {
        head->length = (uint64_t)bytes[2] << 8 | bytes[3];
    } else if (shortest == 127) {
        head->length = 0;
        for (int i = 2; i < 10; i++)
            head->length = head->length << 8 | bytes[i];
    }
    return 1;
}

/* Writes a final frame of at most 65,535 bytes. A client masks with zeros, which leaves the payload as it is. */
static inline size_t frame_write(uint8_t *to, uint8_t opcode, int masked, const void *payload, size_t length)
{
    size_t at = 0;
    to[at++] = 0x80 | opcode;
    if (length < 126) {
        to[at++] = (uint8_t)((masked ? 0x80 : 0) | length);
    } else {
        to[at++] = (uint8_t)((masked ? 0x80 : 0) | 126);
        to[at++] = (uint8_t)(length >> 8);
        to[at++] = (uint8_t)length;
    }
    if (masked) {
        memset(to + at, 0, 4);
        at += 4;
    }
    memcpy(to + at, payload, length);
    return at + length;
}

#endif
