"""What the HTML filter lets through runs no script in a real browser (T-M38): Chromium, headless, every vector at once.

Each document is written into a frame as a page, as a reader of mail in a window has it, and into an element by
`innerHTML`, there and twice more from what the browser made of it, as webmail and editors do. Every call that a vector
wants to make is counted, and the tree that the browser made is searched for what could run when somebody clicks.
"""

from __future__ import annotations

import json
import re
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import pytest

from imap4fast.mail.html import HtmlRules, Rule, filtered
from tests.unit.mail.script_vectors import ENCODED, VECTORS, WIDE

NONE = (Rule(False, ("*",)),)
STRICT = HtmlRules(
    script_tag_language=NONE,
    iframe_tag_src=NONE,
    intrinsic_language=NONE,
    url_scheme=(Rule(True, ("http", "https", "mailto", "cid")),),
    remote_image=NONE,
)

# A sandbox without dialogs around it all: a frame's own `alert` would wait for somebody to answer.
OUTSIDE = r"""<!DOCTYPE html><html><head><meta charset="utf-8"></head><body><pre id="result"></pre><script>
const frame = document.createElement("iframe");
frame.sandbox = "allow-scripts allow-same-origin";
frame.srcdoc = atob("HARNESS");
document.body.append(frame);
</script></body></html>
"""

HARNESS = r"""<!DOCTYPE html><html><body><div id="host"></div>
<script>
const documents = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob("DOCUMENTS"), c => c.charCodeAt(0))));
const result = documents.map(() => ({ran: 0, could: []}));
function dangers(root) {
  const found = [];
  for (const element of root.querySelectorAll("*")) {
    if (/^(script|object|embed|iframe|frame|base|link|svg|math|template)$/i.test(element.localName))
      found.push(element.localName);
    for (const {name, value} of element.attributes)
      if (/^on/i.test(name) || /^[\0- ]*(javascript|vbscript|data:text)/i.test(value.replace(/[\t\n\r]/g, "")))
        found.push(element.localName + " " + name);
  }
  return found;
}
async function show(text, place) {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  window.alert = frame.contentWindow.alert = () => { result[place].ran += 1; };
  frame.contentDocument.open();
  frame.contentDocument.write(text);
  frame.contentDocument.close();
  result[place].could.push(...dangers(frame.contentDocument));
  const host = document.getElementById("host");
  for (const written of [text, null, null]) {
    host.innerHTML = written === null ? host.innerHTML : written;
    result[place].could.push(...dangers(host));
    await new Promise(done => setTimeout(done, 30));
  }
  host.innerHTML = "";
  frame.remove();
}
(async () => {
  for (let place = 0; place < documents.length; place++)
    try { await show(documents[place], place); } catch (error) { result[place].could.push(String(error)); }
  parent.document.getElementById("result").textContent = "RESULT" + JSON.stringify(result) + "RESULT";
})();
</script></body></html>
"""


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def browsed(documents: Sequence[str], folder: Path) -> list[tuple[int, list[str]]]:
    """Of each document: how often something ran, and what could."""
    page = folder / "page.html"
    page.write_text(OUTSIDE.replace("HARNESS", base64(HARNESS.replace("DOCUMENTS", base64(json.dumps(documents))))))
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += ["--no-first-run", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"]
    command += [f"--user-data-dir={folder}/profile", "--virtual-time-budget=60000", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    found = re.search(r"RESULT(\[.*\])RESULT", done.stdout.decode("utf-8", "replace"), re.DOTALL)
    assert found, done.stderr[-2000:]
    rows = json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return [(row["ran"], row["could"]) for row in rows]


@pytest.mark.timeout(200)
def test_m38_the_vectors_run_unless_they_are_filtered(tmp_path: Path) -> None:
    """That the harness sees scripts that run is shown by the same vectors as they came."""
    raw = browsed(VECTORS, tmp_path)
    assert sum(ran > 0 for ran, _ in raw) >= 40
    octets = [(vector.encode(), "utf-8") for vector in VECTORS]
    octets += [(wide, "us-ascii") for wide in WIDE] + [(text, name) for text, name in ENCODED if name]
    clean = browsed([filtered(text, name, STRICT)[0].decode("utf-8") for text, name in octets], tmp_path)
    assert [(octets[place], row) for place, row in enumerate(clean) if row != (0, [])] == []
