/* Search loops of the scanners: 16 bytes at a time where the machine has SSE2, else one by one. */
#ifndef IMAP4FAST_SCAN_H
#define IMAP4FAST_SCAN_H
#include <stddef.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* First byte in [p, end) that is a control character (below 0x20), '"', '(' or ')'; end if there is none. */
static inline const unsigned char *scan_data(const unsigned char *p, const unsigned char *end)
{
#if defined(__SSE2__)
    const __m128i low = _mm_set1_epi8(0x1f), quote = _mm_set1_epi8('"'), one = _mm_set1_epi8(1),
                  paren = _mm_set1_epi8(')');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i hit = _mm_cmpeq_epi8(_mm_min_epu8(v, low), v);            /* v <= 0x1f */
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, quote));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_or_si128(v, one), paren)); /* '(' is ')' less its lowest bit */
        int mask = _mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p > 0x1f && *p != '"' && (*p | 1) != ')')
        p++;
    return p;
}

/* First byte in [p, end) that is a control character, '"' or '\\': what ends or bends a quoted string. */
static inline const unsigned char *scan_quoted(const unsigned char *p, const unsigned char *end)
{
#if defined(__SSE2__)
    const __m128i low = _mm_set1_epi8(0x1f), quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i hit = _mm_cmpeq_epi8(_mm_min_epu8(v, low), v);
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, quote));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, slash));
        int mask = _mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p > 0x1f && *p != '"' && *p != '\\')
        p++;
    return p;
}

/* The CR that ends a line of data in [p, end) which holds nothing but dull bytes and balanced parentheses, at most
 * `most` deep; NULL where the line has a quoted string, another control character, no end, or is not balanced. */
static inline const unsigned char *scan_flags(const unsigned char *p, const unsigned char *end, int most)
{
    int depth = 0;
#if defined(__SSE2__)
    const __m128i low = _mm_set1_epi8(0x1f), quote = _mm_set1_epi8('"'), one = _mm_set1_epi8(1),
                  paren = _mm_set1_epi8(')');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i hit = _mm_cmpeq_epi8(_mm_min_epu8(v, low), v);
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, quote));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_or_si128(v, one), paren));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        while (mask) {
            const unsigned char *q = p + __builtin_ctz(mask);
            mask &= mask - 1;
            if (*q == '(') {
                if (++depth > most)
                    return NULL;
            } else if (*q == ')') {
                if (--depth < 0)
                    return NULL;
            } else
                return *q == '\r' && depth == 0 ? q : NULL;
        }
        p += 16;
    }
#endif
    for (; p < end; p++) {
        if (*p == '(') {
            if (++depth > most)
                return NULL;
        } else if (*p == ')') {
            if (--depth < 0)
                return NULL;
        } else if (*p <= 0x1f || *p == '"')
            return *p == '\r' && depth == 0 ? p : NULL;
    }
    return NULL;
}

/* First control character (below 0x20 or DEL) in [p, end); end if there is none. */
static inline const unsigned char *scan_text(const unsigned char *p, const unsigned char *end)
{
#if defined(__SSE2__)
    const __m128i low = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i hit = _mm_cmpeq_epi8(_mm_min_epu8(v, low), v);
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, del));
        int mask = _mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p > 0x1f && *p != 0x7f)
        p++;
    return p;
}

/* What `scan_lines` saw. */
enum { SEEN_BARE_LF = 1, SEEN_BARE_CR = 2, SEEN_NUL = 4, SEEN_8BIT = 8 };

/* From p, where a line begins, to the next line in [p, end) that begins with '-' (not the line at p), or end. Adds the
 * line ends passed to *lines and what was seen to *seen. */
static inline const unsigned char *scan_lines(const unsigned char *p, const unsigned char *end, long long *lines,
                                              unsigned *seen)
{
    unsigned after_cr = 0, after_lf = 0, bare_lf = 0, bare_cr = 0, nul = 0, high = 0, dash = 0;
    long long count = 0;
#if defined(__SSE2__)
    const __m128i lf_16 = _mm_set1_epi8('\n'), cr_16 = _mm_set1_epi8('\r'), dash_16 = _mm_set1_epi8('-');
    __m128i least = _mm_set1_epi8(1), most = _mm_setzero_si128();
    while (end - p >= 16 && !dash) {
        __m128i sum = _mm_setzero_si128(), wide;
        int round;
        for (round = 0; round < 255 && end - p >= 16; round++, p += 16) {
            __m128i v = _mm_loadu_si128((const __m128i *)p), lf_at = _mm_cmpeq_epi8(v, lf_16);
            unsigned lf = (unsigned)_mm_movemask_epi8(lf_at), begins = lf << 1 | after_lf;
            unsigned cr = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, cr_16)), paired = cr << 1 | after_cr;
            dash = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, dash_16)) & begins;
            if (dash)
                break;
            bare_lf |= lf & ~paired;
            bare_cr |= paired & ~lf & 0xffff;
            after_cr = cr >> 15;
            after_lf = lf >> 15;
            least = _mm_min_epu8(least, v);
            most = _mm_or_si128(most, v);
            sum = _mm_sub_epi8(sum, lf_at);
        }
        wide = _mm_sad_epu8(sum, _mm_setzero_si128());
        count += _mm_cvtsi128_si32(wide) + _mm_cvtsi128_si32(_mm_srli_si128(wide, 8));
    }
    nul = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(least, _mm_setzero_si128()));
    high = (unsigned)_mm_movemask_epi8(most);
#endif
    for (; p < end; p++) {
        unsigned c = *p;
        if (after_lf && c == '-')
            break;
        bare_lf |= c == '\n' && !after_cr;
        bare_cr |= c != '\n' && after_cr;
        nul |= c == 0;
        high |= c & 0x80;
        after_cr = c == '\r';
        after_lf = c == '\n';
        count += after_lf;
    }
    bare_cr |= after_cr;
    *lines += count;
    *seen |= (bare_lf ? SEEN_BARE_LF : 0u) | (bare_cr ? SEEN_BARE_CR : 0u) | (nul ? SEEN_NUL : 0u) |
             (high ? SEEN_8BIT : 0u);
    return p;
}

/* How many octets of [p, end) are of the alphabet of base64. */
static inline long long count_base64(const unsigned char *p, const unsigned char *end)
{
    long long count = 0;
#if defined(__SSE2__)
    const __m128i case_16 = _mm_set1_epi8(0x20), a_16 = _mm_set1_epi8('a'), z_16 = _mm_set1_epi8('z'),
                  slash_16 = _mm_set1_epi8('/'), nine_16 = _mm_set1_epi8('9'), plus_16 = _mm_set1_epi8('+');
    while (end - p >= 16) {
        __m128i sum = _mm_setzero_si128(), wide;
        int round;
        for (round = 0; round < 255 && end - p >= 16; round++, p += 16) {
            __m128i v = _mm_loadu_si128((const __m128i *)p);
            __m128i low = _mm_or_si128(v, case_16);
            __m128i hit = _mm_cmpeq_epi8(_mm_min_epu8(_mm_max_epu8(low, a_16), z_16), low);
            hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(_mm_max_epu8(v, slash_16), nine_16), v));
            hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, plus_16));
            sum = _mm_sub_epi8(sum, hit);
        }
        wide = _mm_sad_epu8(sum, _mm_setzero_si128());
        count += _mm_cvtsi128_si32(wide) + _mm_cvtsi128_si32(_mm_srli_si128(wide, 8));
    }
#endif
    for (; p < end; p++) {
        unsigned c = *p, low = c | 0x20;
        count += (low >= 'a' && low <= 'z') || (c >= '/' && c <= '9') || c == '+';
    }
    return count;
}

/* What removing the quoted-printable of [p, end) changes the number of octets by, where a line ends at lf (NULL: at end
 * without one): white space before it goes, a soft break goes whole, each other line ends in CRLF. */
static inline long long quoted_line_end(const unsigned char *p, const unsigned char *end, const unsigned char *lf)
{
    const unsigned char *last = lf ? lf : end;
    long long change = lf ? 1 : 0; /* CRLF for LF */
    int soft = lf == NULL;
    if (lf && last > p && last[-1] == '\r') {
        last--;
        change--;
    }
    while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
        change--;
    }
    if (last > p && last[-1] == '=')
        change -= soft ? 1 : 3; /* with its CRLF */
    return change;
}

static inline int is_hex_digit(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Two hexadecimal digits stand at p. */
static inline int is_hex(const unsigned char *p)
{
    return is_hex_digit(p[0]) && is_hex_digit(p[1]);
}

/* How many octets quoted-printable stands for: lines less the white space at their ends, without soft breaks, each
 * other one with CRLF; an "=" that means nothing stands for itself. */
static inline long long count_quoted(const unsigned char *p, const unsigned char *end)
{
    const unsigned char *start = p;
    long long count = end - p;
#if defined(__SSE2__)
    const __m128i lf_16 = _mm_set1_epi8('\n'), mark_16 = _mm_set1_epi8('=');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, lf_16), _mm_cmpeq_epi8(v, mark_16));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        for (; mask; mask &= mask - 1) {
            const unsigned char *q = p + __builtin_ctz(mask);
            if (*q == '\n')
                count += quoted_line_end(start, end, q);
            else if (end - q >= 3 && is_hex(q + 1))
                count -= 2;
        }
        p += 16;
    }
#endif
    for (; p < end; p++) {
        if (*p == '\n')
            count += quoted_line_end(start, end, p);
        else if (*p == '=' && end - p >= 3 && is_hex(p + 1))
            count -= 2;
    }
    if (start < end && end[-1] != '\n')
        count += quoted_line_end(start, end, NULL);
    return count;
}

/* First octet in [p, end) with its highest bit set; end if there is none. */
static inline const unsigned char *scan_ascii(const unsigned char *p, const unsigned char *end)
{
#if defined(__SSE2__)
    while (end - p >= 16) {
        int mask = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *)p));
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p < 0x80)
        p++;
    return p;
}

/* First octet in [p, end) that is not a visible ASCII character; end if there is none. */
static inline const unsigned char *scan_visible(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p > 0x20 && *p < 0x7f)
        p++;
    return p;
}

/* First octet in [p, end) that keeps a string from being quoted as it is: a control character, '"', '\\', or one with
 * its highest bit set; end if there is none. */
static inline const unsigned char *scan_string(const unsigned char *p, const unsigned char *end)
{
#if defined(__SSE2__)
    const __m128i space = _mm_set1_epi8(0x20), quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)p);
        __m128i hit = _mm_cmplt_epi8(v, space); /* signed: the high half too */
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, quote));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, slash));
        int mask = _mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}
#endif
