"""Configurations of a proxy that processes mail, in the language of configuration.md; all with the built-in engines."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ENGINES = "antivirus AV { connection builtin; }\nantispam AS { connection builtin; }\n"

KEEP = (
    "mail-filter { accept-8bit-header; correct-8bit-body; correct-bad-char; correct-quoting; invalid-header keep; "
    "header-8bit-chars keep; partial-message keep; ambiguous-mime keep; tnef keep; max-header-size 1M; }"
)
"""Whatever can be left as it is, is."""

SCAN = "use-antivirus enable AV; use-antispam enable AS;"

ACCEPT_ALL = "mail-acl ALL { accept; }\n  doc-acl ALL { accept; }"

REPLACE_VIRUS = "mail-acl ALL { accept; }\n  doc-acl VIRUS { virus found; accept; remove; }\n  doc-acl REST { accept; }"


@dataclass(frozen=True)
class Processing:
    """How mail is processed; `config` gives what Lab.proxy takes."""

    download: str = SCAN
    upload: str = SCAN
    command: str = ""
    """Items of command-acl."""
    decide: str = ACCEPT_ALL
    """mail-acls and doc-acls."""
    sections: str = ENGINES
    proxy: str = ""
    session: str = ""
    spool: str = "@FOLDER@/spool"
    more: dict[str, Any] = field(default_factory=dict, hash=False, compare=False)
    """Other fields of Config, as they are there."""

    def config(self) -> dict[str, Any]:
        acls = f"""
  session-acl IN {{ accept; {self.session} PLUG }}
  command-acl ALL {{ accept; {self.command} download {{ {self.download} }} upload {{ {self.upload} }} }}
  {self.decide}
"""
        proxy = f'spool-dir "{self.spool}"; {self.proxy}'
        return {"sections": self.sections, "acls": acls, "proxy": proxy, **self.more}


UNCHANGED = Processing(download=f"{SCAN} on-skipped pass; {KEEP}", upload=f"{SCAN} on-skipped pass; {KEEP}")
"""Every mail is read, scanned and indexed, and goes on as it came."""

BLOCKING = Processing(decide="mail-acl CLEAN { virus free; accept; }\n  doc-acl ALL { accept; }")
"""A mail with a virus is denied, since no mail-acl accepts it; all others stay whole."""

NORMAL_LOG = {"log": "level normal;"}
"""For Processing.more where mails are large: at level full a log has all their octets."""

CHANGED = Processing(
    sections=ENGINES + "html-filter STRICT { script-tag-language deny *; url-scheme accept { http, https, mailto }; "
    "remote-image deny *; }\n",
    decide="""
  mail-acl SPAM { spam-score ge 5.0; accept; subject-prefix "[SPAM] "; }
  mail-acl LARGE { size gt 300000; deny "too large"; }
  mail-acl WORDS { header "Subject" /plain words/; accept; subject-prefix "[WORDS] ";
    modify-header add "X-Read" "by the proxy"; }
  mail-acl LONG { header "X-Long" /x/; accept; modify-header delete "X-Long"; }
  mail-acl REST { virus { free, found }; accept; modify-header replace "X-Own" "replaced"; }
  doc-acl VIRUS { virus found; accept; replace-file "@FOLDER@/virus.txt"; }
  doc-acl PDF { mime-type application/pdf; accept; remove; }
  doc-acl HTML { mime-type text/html; accept; html-filter STRICT; }
  doc-acl WAV { mime-type audio/*; accept; replace-file "@FOLDER@/audio.html" text/html; }
  doc-acl REST { accept; }
""",
    more={"files": (("virus.txt", "%{filename} had %{virus}: %{rule}\n"), ("audio.html", "<p>%{type} %{size}</p>\n"))},
)
"""Whatever a policy can change of a mail, is changed in some."""
