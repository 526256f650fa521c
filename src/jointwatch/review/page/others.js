// Others' alerts: what each node took, by whose word and what became of it; what it refused, and its sources.
const REFUSALS = {
  flood: "more than may come",
  size: "too long",
  structure: "no CAP message",
  sender: "nobody who is listened to",
  signature: "not signed by its sender",
  status: "not of an exercise",
  kind: "no alert",
  freshness: "old, sent ahead or expired",
  replay: "taken before",
  identity: "another message has its name",
};
const KINDS = { Alert: "alert", Update: "update", Cancel: "withdrawal" };

function becameWords(row) {
  if (!row.became) return null;
  if (row.became === "stands") return node("b", "stands");
  return `${row.became} T+${mmss(row.became_t)}`;
}
function fillOthers(others) {
  const box = node("div", null, { class: "others" }),
    taken = others.taken || [],
    refused = others.refused || [];
  if (taken.length)
    box.append(
      table(
        [["Sent", "n"], "Sender", "Status", "What", "Where", ["Until", "n"], "Verified", "At the end", "Shown to"],
        taken.map(a => [
          node("span", `T+${mmss(a.sent_t)}`, { title: `taken T+${mmss(a.taken_t)} from ${a.source}` }),
          node("span", a.sender, { title: a.id }),
          node("b", a.status, { class: "status" }),
          `${KINDS[a.kind] || a.kind}: ${a.what || "no text"}`,
          a.where || null,
          has(a.until_t) ? `T+${mmss(a.until_t)}` : null,
          a.verified_by
            ? node("b", "signed", { class: "ok", title: `certificate ${a.verified_by}` })
            : node("b", "not signed: nobody vouches for it", { class: "late" }),
          becameWords(a),
          a.partner,
        ]),
      ),
    );
  else box.append(node("p", "None was taken."));
  if (refused.length)
    box.append(
      node("h3", "Refused"),
      table(
        [["How many", "n"], "Why", "The last of them", "From", "By"],
        refused.map(r => [
          String(r.count),
          REFUSALS[r.reason] || r.reason,
          `T+${mmss(r.t)} ${r.example}`,
          r.source,
          r.partner,
        ]),
      ),
    );
  box.append(
    node("h3", "Where they come from"),
    table(
      ["Source", "Of", ["Looks", "n"], ["In vain", "n"], ["Last good", "n"], ["Messages", "n"], ["Waiting", "n"], "Trouble"],
      others.sources.map(s => [
        s.name,
        s.partner,
        String(s.looks),
        String(s.failed),
        has(s.last_good_t) ? `T+${mmss(s.last_good_t)}` : "never",
        String(s.brought),
        String(s.waiting),
        s.error || null,
      ]),
    ),
  );
  section(
    "Others' alerts",
    "What other systems warned of, as it was taken or refused: shown beside the partners' own alerts, and nothing is decided by it. Signed means by a key that was agreed on with that sender beforehand.",
    box,
    true,
  );
}
