"""Mails with one oddity each, by name. Lines end in LF here and in CRLF where they are used (`mails`)."""

from __future__ import annotations

_HEADS = {
    "plain": "From: a@b.example\nSubject: x\n\nbody\n",
    "header only": "From: a@b.example\nSubject: x\n",
    "header without line end": "From: a@b.example\nSubject: x",
    "header and blank line": "From: a@b.example\n\n",
    "only a blank line": "\n",
    "two blank lines": "\n\n",
    "only text": "no header at all",
    "text with line end": "no header at all\n",
    "body from the first line": "\nbody\nmore\n",
    "blank with space": "From: a@b.example\n \nSubject: y\n\nbody\n",
    "starts with white space": " x\nFrom: a@b.example\n\nbody\n",
    "continued first line": "X\n y: z\nSubject: s\n\nbody\n",
    "space before colon": "From : a@b.example\nSubject\t: x\nContent-Type : text/html\n\nbody\n",
    "name only": "From\nSubject: x\n\nbody\n",
    "colon first": ": x\nSubject: y\n\nbody\n",
    "mbox line": ">From x\nFrom a Mon Jan 1\nSubject: y\n\nbody\n",
    "long name": "X" * 1005 + ": y\nSubject: z\n\nb\n",
    "folded name": "Sub\n ject: x\nSubject: y\n\nb\n",
    "eight bit subject": "Subject: h\u00e9llo \u20ac\nFrom: \u00e9 <\u00e9@b.example>\n\nb\n",
    "odd spaces": "Subject:   two  spaces\t and tab \nDate:  Mon, 1 Jan 2024 00:00:00 +0000  \n\nb\n",
    "only spaces": "Subject:    \nDate:   \nFrom:   \nMessage-ID:\n\nb\n",
    "empty fields": "Subject:\nDate:\nFrom:\nTo:\nIn-Reply-To:\n\nb\n",
    "folded subject": "Subject: one\n  two\n\tthree\nDate: Mon,\n 1 Jan\n\t2024\nMessage-ID:\n <a@b>\n\nb\n",
    "folded to nothing": "Subject:\n \nTo:\n \n a@b\n\nb\n",
    "quotes in subject": 'Subject: "a" \\ b\nMessage-ID: "x\\y"\nIn-Reply-To: """"""""""\n\nb\n',
    "double fields": "Subject: a\nSubject: b\nDate: 1\nDate: 2\nMessage-ID: <1>\nMessage-ID: <2>\n\nb\n",
    "double addresses": "From: a@b.example\nFrom: c@d.example\nTo: e@f.example\nTo:\nTo: g\n\nb\n",
    "sender": "From: a@b.example\nSender: c@d.example\nReply-To: e@f.example, g@h.example\n\nb\n",
    "encoded words": "Subject: =?utf-8?q?a=20b?=\n =?utf-8?b?YQ==?=\nFrom: =?utf-8?q?A_B?= <a@b.example>\n\nb\n",
    "upper case": "FROM: a@b.example\nsubject: x\nMIME-VERSION: 1.0\nCONTENT-TYPE: TEXT/HTML; CHARSET=UTF-8\n\nb\n",
    "no end of line at the end": "Subject: x\n\nbody",
    "many blank lines": "Subject: x\n\n\n\n\n",
    "dashes": "Subject: x\n\n--\n-- \n--x\n---\n-\n",
    "carriage return": "Subject: a\rb\n\nx\ry\r\n",
    "carriage returns": "Subject: a\r\r\n\nx\r\r\n\r\r\n",
}

_ADDRESSES = {
    "name": "Joe Q. Public <john.q.public@example.com>",
    "quoted name": '"Joe, \\"Q\\". Public" <john@example.com>',
    "comment": "john@example.com (Joe (nested) Public)",
    "comments all over": "(a) john (b) @ (c) example.com (d) , (e) x@y (f)",
    "comment with escapes": "a@b (x \\) y \\\\ z)",
    "folded comment": "a@b (one\n two)",
    "open comment": "a@b (never closed, c@d",
    "open quote": '"never closed <a@b>, c@d',
    "group": "Group: a@b, c@d;",
    "empty group": "undisclosed-recipients:;",
    "group and more": "A: b@c, d@e; , f@g",
    "nested group": "A: B: c@d;;, e@f",
    "open group": "A: b@c, d@e",
    "group without list": "A: ,;",
    "group of junk": "A: <b@c> x, ;y",
    "two groups": "A:a@b;B:c@d;, E: ;",
    "route": "<@a.example,@b.example:joe@c.example>",
    "broken route": "<@a.example joe@c.example>",
    "open route": "<@a.example",
    "empty route": "<@:a@b>",
    "no domain": "joe",
    "no mailbox": "@example.com",
    "empty angle": "Name <>",
    "angle only": "<>",
    "open angle": "Name <a@b",
    "angle junk": "Name <a b@c> d",
    "two angles": "<a@b> <c@d>, e@f",
    "angle in angle": "<<a@b>>",
    "two at signs": "a@b@c, d@e",
    "spaces around": " a . b @ c . d , e@f",
    "dots": "a..b@c..d, .x@y, z.@y, ...@q",
    "domain literal": "a@[127.0.0.1], b@[x\\]y], c@[open, d@e",
    "literal in literal": "a@[b[c], d@e",
    "quoted local part": '"a b"@c, "d"@e, "f" , "g"',
    "name without address": "Joe Public, a@b",
    "name and no domain": "Joe <joe>, <ann>",
    "commas": ",,a@b,,c@d,",
    "semicolons": "a@b; c@d",
    "colon": "a:b@c",
    "only a comma": ",",
    "only a comment": "(comment)",
    "only a quote": '"',
    "only white space": " \t",
    "eight bit": "\u00e9\u00e8 <a@b>, \u00fc@\u00f6.example",
    "backslash": "a\\b@c, \\a@b",
    "slash and equals": "a/b=c?d@e.f",
    "specials": "a@b!c, #$%&'*+-/=?^_`{|}~@x",
    "brackets": "[a]@b, a[b]@c",
    "folded": "a@b,\n c@d,\n\te@f",
    "folded inside": "Joe\n Public <a\n @b>",
    "encoded name": "=?utf-8?q?J=C3=B6e?= <a@b>, =?x?= y <c@d>",
    "quotes and atoms": '"a" b "c" <d@e>, x "y"@z',
    "dot name": "J. R. <a@b>, .J <c@d>, J . R <e@f>",
    "trailing comment error": "a@b, (open",
    "angle comment": "Name (c) <(x)a@b(y)> (z)",
    "many": ", ".join(f"user{number} <u{number}@example.com>" for number in range(60)),
    "control": "a\x01b@c, \x7f@d",
    "escapes": '"a\\\\b" <c@d>, "e\\\n f" <g@h>',
    "five quotes": '"\\"\\"\\"\\"\\"\\"" <a@b>',
}

_TYPES = {
    "simple": "text/plain",
    "charset": "text/html; charset=utf-8",
    "spaces": " text / html ; charset = utf-8 ; x = y",
    "comments": "text(a)/(b)html(c);(d)charset(e)=(f)utf-8(g);x=y",
    "quoted": 'text/plain; name="a b.txt"; charset="us-ascii"',
    "escapes": 'application/x; name="a\\"b\\\\c\\d"',
    "no subtype": "text",
    "no subtype slash": "text/",
    "no type": "/plain",
    "junk after": "text/plain charset=utf-8",
    "junk": "!!!",
    "only semicolon": ";",
    "semicolon first": "; charset=utf-8",
    "double semicolon": "text/plain;; charset=utf-8;",
    "no value": "text/plain; charset=; name",
    "no value end": "text/plain; name=",
    "open quote": 'text/plain; name="abc; charset=utf-8',
    "bad then good": "text/plain; @@; charset=utf-8; a b=c; d=e",
    "encoded word": "text/plain; name==?utf-8?b?w6k=?=; charset=utf-8",
    "encoded word in quotes": 'text/plain; name="=?utf-8?b?w6k=?="',
    "eight bit": 'text/plain; name="\u00e9"; x=\u00e9',
    "twice": "text/plain; name=a; name=b; Name=c",
    "2231": "application/x; name*=utf-8''a%20b",
    "2231 pieces": 'application/x; name*0="a b"; name*1="c"; name*2=d',
    "2231 mixed": "application/x; name*0*=utf-8''a%20; name*1=\"%b\"; name*2*=%63",
    "2231 plain first": "application/x; name*0=a; name*1*=%62",
    "2231 order": "application/x; name*2=c; name*0=a; name*1=b; x=y",
    "2231 missing": "application/x; name*0=a; name*2=c; name*3*=d",
    "2231 from one": "application/x; name*1=a; name*2=b",
    "2231 twice": "application/x; name*0=a; name*0=b; name*1=c",
    "2231 and plain": "application/x; name=p; name*0=a; name*1=b; name*=utf-8''q",
    "2231 after pieces": "application/x; a*0=x; a*1=y; b*=z; c*0=1",
    "2231 case": "application/x; name*0=a; NAME*1=b; Name*2=c",
    "2231 odd": "application/x; *=a; *0=b; na*me=c; name**=d; name*0**=e; name*x=f; name*1x=g",
    "2231 large": "application/x; name*99999999999=a; name*00=b; name*01=c",
    "multipart no boundary": "multipart/mixed",
    "multipart empty boundary": 'multipart/mixed; boundary=""',
    "message": "message/rfc822",
    "message parameters": "message/rfc822; x=y",
    "message partial": 'message/partial; id="x"; number=1; total=2',
    "message global": "message/global",
    "external": 'message/external-body; access-type=URL; URL="http://x"',
    "text odd": "text/",
    "textual": "textual/plain",
    "upper": "TEXT/PLAIN; CHARSET=US-ASCII",
    "folded": 'text/plain;\n charset=utf-8;\n\tname="a\n b"',
    "folded early": "\n text/html;\n charset=utf-8",
    "folded token": "text/pl\n ain; char\n set=utf-8",
    "open comment": "text/plain (open; charset=utf-8",
    "comment after": "text/plain (closed)",
    "long": "text/plain; name=" + "x" * 300,
    "many": "text/plain" + "".join(f"; p{number}=v{number}" for number in range(150)),
    "slashes": "text/plain/x; charset=utf-8",
    "token specials": "text/plain; a=b/c; d=e?f; g=h@i",
    "brackets": "text/plain; a=[b]; c=<d>",
    "empty": "",
    "dots": "text/x.y.z; a.b=c.d",
}

_FIELDS = {
    "encoding": "Content-Transfer-Encoding: BASE64",
    "encoding comment": "Content-Transfer-Encoding: (c) base64 (d)",
    "encoding junk": "Content-Transfer-Encoding: base64 foo",
    "encoding parameter": "Content-Transfer-Encoding: base64; foo",
    "encoding quoted": 'Content-Transfer-Encoding: "base64"',
    "encoding unknown": "Content-Transfer-Encoding: x-uuencode",
    "encoding empty": "Content-Transfer-Encoding:",
    "encoding twice": "Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: quoted-printable",
    "encoding broken first": "Content-Transfer-Encoding: base 64\nContent-Transfer-Encoding: quoted-printable",
    "encoding folded": "Content-Transfer-Encoding:\n base64",
    "encoding folded after": "Content-Transfer-Encoding: base64\n (x)",
    "disposition": 'Content-Disposition: attachment; filename="a b.txt"; size=12',
    "disposition alone": "Content-Disposition: inline",
    "disposition twice": "Content-Disposition: inline\nContent-Disposition: attachment; filename=a",
    "disposition thrice": "Content-Disposition: a; b=c\nContent-Disposition: d; e=f\nContent-Disposition: g",
    "disposition broken": "Content-Disposition: ; filename=a",
    "disposition junk": "Content-Disposition: a b; filename=c",
    "disposition quoted": 'Content-Disposition: "attachment"; filename=c',
    "disposition comment": "Content-Disposition: attachment (open\nContent-Disposition: inline",
    "disposition empty": "Content-Disposition:",
    "disposition 2231": "Content-Disposition: attachment; filename*0*=utf-8''%c3%a9; filename*1=\"x y\"",
    "language": "Content-Language: en",
    "languages": "Content-Language: en, de-AT (x) , fr",
    "language broken": "Content-Language: en; de, fr",
    "language comment": "Content-Language: en, de (open, fr",
    "language empty": "Content-Language:\nContent-Language: , x\nContent-Language: de",
    "language trailing": "Content-Language: en,",
    "location": "Content-Location: http://x/\n y",
    "location twice": "Content-Location: a\nContent-Location: b",
    "md5": "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
    "md5 twice": "Content-MD5: a\nContent-MD5: b",
    "id": "Content-ID: <a@b>",
    "id folded": "Content-ID:\n <a\n @b>",
    "id twice": "Content-ID: <a>\nContent-ID: <b>",
    "description": 'Content-Description: some  text\n\twith "quotes" and \\',
    "description eight bit": "Content-Description: \u00e9\n  folded",
    "description empty": "Content-Description:  ",
    "all": (
        "Content-ID: <a>\nContent-Description: d\nContent-MD5: m\nContent-Disposition: inline\n"
        "Content-Language: en\nContent-Location: l"
    ),
}

_HTML = "Content-Type: text/html\n\n<p>\n"
_MIXED = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"

_MULTIPARTS = {
    "simple": _MIXED + "\npre\n--b\n\none\n--b\n" + _HTML + "--b--\nepi\n",
    "no preamble": _MIXED + "\n--b\n\none\n--b--\n",
    "no version": "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
    "version only": "MIME-Version: 1.0\nContent-Disposition: inline\n\none\n",
    "disposition without version": "Content-Disposition: attachment; filename=x\nContent-Language: en\n\none\n",
    "not closed": _MIXED + "\n--b\n\none\n--b\n" + _HTML,
    "not closed no line end": _MIXED + "\n--b\n\none",
    "ends at boundary": _MIXED + "\n--b\n\none\n--b",
    "ends after boundary": _MIXED + "\n--b\n\none\n--b\n",
    "ends in closing": _MIXED + "\n--b\n\none\n--b-",
    "closed no line end": _MIXED + "\n--b\n\none\n--b--",
    "no boundary line": _MIXED + "\nnothing\nhere\n",
    "only closing": _MIXED + "\n--b--\n",
    "empty body": _MIXED + "\n",
    "no body": _MIXED,
    "empty parts": _MIXED + "\n--b\n--b\n\n--b\n\n\n--b--\n",
    "header only part": _MIXED + "\n--b\nContent-Type: text/html\n--b\nX: y\n Z\n--b--\n",
    "header only part at end": _MIXED + "\n--b\nContent-Type: text/html",
    "junk header": _MIXED + "\n--b\nthis is text\nmore\n\nbody\n--b--\n",
    "boundary in header": _MIXED.replace("\n", "\n--b\n", 1) + "\n--b\n\none\n--b--\n",
    "space after boundary": _MIXED + "\n--b \t\n\none\n--b x\n\ntwo\n--b-- \n",
    "junk after closing": _MIXED + "\n--b\n\none\n--b--junk\n\ntwo\n--b\n\nthree\n--b--\n",
    "parts after closing": _MIXED + "\n--b\n\none\n--b--\n--b\n" + _HTML + "--b--\n",
    "single dash after": _MIXED + "\n--b\n\none\n--b-\n\ntwo\n--b--\n",
    "longer boundary": _MIXED + "\n--bc\n\none\n--b\n\ntwo\n--bcd--\n",
    "boundary with dashes": ('Content-Type: multipart/mixed; boundary="b--"\n\n--b--\n\none\n--b----\n\n--b\n\nx\n'),
    "empty boundary": 'Content-Type: multipart/mixed; boundary=""\n\n--\n\none\n--x\n\ntwo\n----\n',
    "long boundary": (
        f"Content-Type: multipart/mixed; boundary={'x' * 100}\n\n--{'x' * 100}\n\none\n--{'x' * 80}\n\ntwo\n"
        f"--{'x' * 79}\n\nthree\n--{'x' * 100}--\n"
    ),
    "boundary with spaces": 'Content-Type: multipart/mixed; boundary="a b "\n\n--a b \n\none\n--a b\n\n--a b --\n',
    "boundary twice": "Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--b\n\none\n--a\n\ntwo\n--a--\n--b--\n",
    "boundary pieces": (
        "Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\n\n--ab\n\none\n--a\n\ntwo\n--ab--\n"
    ),
    "boundary extended": "Content-Type: multipart/mixed; boundary*=us-ascii''ab\n\n--ab\n\none\n--ab--\n",
    "boundary encoded word": (
        'Content-Type: multipart/mixed; boundary="=?us-ascii?Q?b?="\n\n--b\n\nx\n--=?us-ascii?Q?b?=\n\n'
    ),
    "boundary unquoted": "Content-Type: multipart/mixed; boundary=a:b\n\n--a\n\none\n--a:b\n\ntwo\n",
    "boundary eight bit": 'Content-Type: multipart/mixed; boundary="\u00e9"\n\n--\u00e9\n\none\n--\u00e9--\n',
    "boundary open quote": 'Content-Type: multipart/mixed; boundary="b\n\n--b\n\none\n--b--\n',
    "boundary comment": "Content-Type: multipart/(x)mixed; (boundary=x) boundary=b\n\n--b\n\none\n--b--\n",
    "type twice": "Content-Type: text/plain\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
    "type twice other": "Content-Type: multipart/mixed; boundary=b\nContent-Type: text/plain\n\n--b\n\none\n--b--\n",
    "type broken": "Content-Type: multipart/mixed boundary=b\n\n--b\n\none\n--b--\n",
    "with encoding": _MIXED + "Content-Transfer-Encoding: base64\n\n--b\n\none\n--b--\n",
    "all fields": (
        _MIXED + "Content-MD5: x\nContent-ID: y\nContent-Disposition: inline; a=b\nContent-Language: en\n"
        "Content-Location: z\nContent-Description: w\n\n--b\n\none\n--b--\n"
    ),
    "nested": (
        _MIXED
        + "\n--b\nContent-Type: multipart/alternative; boundary=c\n\npre\n--c\n\none\n--c\n"
        + _HTML
        + "--c--\nepi\n--b\n\nthree\n--b--\n"
    ),
    "nested touching": (
        _MIXED + "\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c--\n--b--\n"
    ),
    "nested not closed": (
        _MIXED + "\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--c\n\nx\n--b--\n"
    ),
    "nested same boundary": (
        _MIXED + "\n--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n\n--b\n\ntwo\n--b--\n"
    ),
    "nested prefix": (
        _MIXED + "\n--b\nContent-Type: multipart/alternative; boundary=bc\n\n--bc\n\none\n--b\n\ntwo\n--bc--\n--b--\n"
    ),
    "nested prefix outer": (
        "Content-Type: multipart/mixed; boundary=bc\n\n--bc\nContent-Type: multipart/alternative; boundary=b\n\n"
        "--b\n\none\n--bc\n\ntwo\n--b--\n--bc--\n"
    ),
    "nested dashes": (
        'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative; boundary="a--"\n\n'
        "--a--\n\none\n--a----\n--a--\n"
    ),
    "nested cut header": (_MIXED + "\n--b\nContent-Type: multipart/alternative; boundary=c\n--b\n\ntwo\n--b--\n"),
    "nested no blank": (_MIXED + "\n--b\nContent-Type: multipart/alternative; boundary=c\n--c\n\none\n--c--\n--b--\n"),
    "digest": (
        "Content-Type: multipart/digest; boundary=b\n\n--b\n\nFrom: a@b\nSubject: s\n\nbody\n--b\n"
        "Content-Type: text/plain\n\ntext\n--b\nContent-ID: <x>\n\nSubject: t\n\n--b--\n"
    ),
    "digest empty": "Content-Type: multipart/digest; boundary=b\n\n--b\n--b\n\n--b\nX: y\n--b--\n",
    "message": (
        _MIXED + "\n--b\nContent-Type: message/rfc822\nContent-Disposition: inline\n\nFrom: x@y\nSubject: in\n\nbody\n"
        "--b\n\ntwo\n--b--\n"
    ),
    "message multipart": (
        _MIXED + "\n--b\nContent-Type: message/rfc822\n\nSubject: in\nContent-Type: multipart/mixed; boundary=c\n\n"
        "--c\n\none\n--c\n" + _HTML + "--c--\n--b--\n"
    ),
    "message empty": _MIXED + "\n--b\nContent-Type: message/rfc822\n\n--b\nContent-Type: message/rfc822\n--b--\n",
    "message blank": _MIXED + "\n--b\nContent-Type: message/rfc822\n\n\n--b--\n",
    "message header only": _MIXED + "\n--b\nContent-Type: message/rfc822\n\nSubject: x\n--b--\n",
    "message at end": _MIXED + "\n--b\nContent-Type: message/rfc822",
    "message root": "Content-Type: message/rfc822\n\nFrom: x@y\nSubject: in\n\nbody\n",
    "message root empty": "Content-Type: message/rfc822\n\n",
    "message root no body": "Content-Type: message/rfc822\n",
    "message in message": (
        "Content-Type: message/rfc822\n\nSubject: a\nContent-Type: message/rfc822\n\nSubject: b\n"
        "Content-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--c--\n"
    ),
    "message encoded": "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nRnJvbTogYUBi\n",
    "message without version inside": (
        "MIME-Version: 1.0\nContent-Type: message/rfc822\n\nSubject: a\nContent-ID: <x>\n\nbody\n"
    ),
    "message parameters": 'Content-Type: message/rfc822; name="x.eml"; charset=utf-8\n\nSubject: a\n\nb\n',
    "line that looks like one": _MIXED + "\n--b\n\ntext --b\n --b\n>--b\n--\n--a\n--b--\n",
    "first line of part": _MIXED + "\n--b\n\n--b\n\n\n--b\n\nx\n--b--\n",
    "blank lines around": _MIXED + "\n\n\n--b\n\n\n\none\n\n\n--b--\n\n\n",
    "deep": "".join(f"Content-Type: multipart/mixed; boundary=b{depth}\n\n--b{depth}\n" for depth in range(25))
    + "\nx\n"
    + "".join(f"--b{depth}--\n" for depth in reversed(range(25))),
    "deep messages": "Content-Type: message/rfc822\n\n" * 20 + "Subject: x\n\ny\n",
    "many parts": _MIXED + "".join(f"\n--b\nContent-ID: <{number}>\n\n{number}" for number in range(120)) + "\n--b--\n",
    "encodings": (
        _MIXED
        + "\n--b\nContent-Transfer-Encoding: base64\n\nYWJj\nZGVm\n--b\nContent-Transfer-Encoding: base64\n\nYQ==\n\n"
        "--b\nContent-Transfer-Encoding: quoted-printable\n\na=3Db =\nc  \n=C3=A9\n--b\n"
        "Content-Transfer-Encoding: 8bit\n\n\u00e9\n--b\nContent-Transfer-Encoding: x-none\n\nx\n--b--\n"
    ),
}

_BODIES = {
    "base64 empty": "Content-Transfer-Encoding: base64\n\n",
    "base64 junk": "Content-Transfer-Encoding: base64\n\nYW!Jj\n",
    "base64 spaces": "Content-Transfer-Encoding: base64\n\n Y W\tJ\nj \n\n",
    "base64 padded twice": "Content-Transfer-Encoding: base64\n\nYQ==YQ==\n",
    "base64 short": "Content-Transfer-Encoding: base64\n\nYWJjZ\n",
    "base64 no padding": "Content-Transfer-Encoding: base64\n\nYWJjZA\n",
    "base64 text after": "Content-Transfer-Encoding: base64\n\nYWI=\ntext\n",
    "base64 split padding": "Content-Transfer-Encoding: base64\n\nYQ=\n=\n",
    "base64 zeros": "Content-Transfer-Encoding: base64\n\nAAAAAAAA\n",
    "qp soft": "Content-Transfer-Encoding: quoted-printable\n\na=\nb= \nc=\t \nd\n",
    "qp bad": "Content-Transfer-Encoding: quoted-printable\n\na=zz\n",
    "qp short": "Content-Transfer-Encoding: quoted-printable\n\na=4\n",
    "qp end": "Content-Transfer-Encoding: quoted-printable\n\na=",
    "qp lower": "Content-Transfer-Encoding: quoted-printable\n\n=c3=A9=3d\n",
    "qp spaces": "Content-Transfer-Encoding: quoted-printable\n\na  b  \n  \nc\t\n",
    "qp no line end": "Content-Transfer-Encoding: quoted-printable\n\na  b",
    "qp equals": "Content-Transfer-Encoding: quoted-printable\n\na==\nb\n",
    "binary": "Content-Transfer-Encoding: binary\n\n\x01\x02\x7f\n",
    "case": "Content-Transfer-Encoding: Quoted-Printable\n\n=41\n",
    "seven bit": "Content-Transfer-Encoding: 7BIT\n\nx\n",
}


def _named() -> dict[str, str]:
    found = {f"head: {name}": text for name, text in _HEADS.items()}
    for name, text in _ADDRESSES.items():
        found[f"address: {name}"] = f"From: {text}\nTo: {text}\nSubject: s\n\nbody\n"
    for name, text in _TYPES.items():
        found[f"type: {name}"] = f"MIME-Version: 1.0\nContent-Type: {text}\n\nbody\n--x\n"
        found[f"type in part: {name}"] = _MIXED + f"\n--b\nContent-Type: {text}\n\nbody\n--b--\n"
    for name, text in _FIELDS.items():
        found[f"field: {name}"] = f"MIME-Version: 1.0\nContent-Type: text/plain\n{text}\n\nYWJj\n"
        found[f"field in part: {name}"] = _MIXED + f"\n--b\n{text}\n\nYWJj\n--b--\n"
    found |= {f"multipart: {name}": text for name, text in _MULTIPARTS.items()}
    found |= {f"body: {name}": text for name, text in _BODIES.items()}
    return found


def mails() -> dict[str, bytes]:
    """All of them with CRLF, by name."""
    return {name: text.encode().replace(b"\n", b"\r\n") for name, text in _named().items()}
