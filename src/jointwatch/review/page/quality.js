// How good the picture was: one row a measure, the pictures side by side, and what it means in a line.
function fillQuality(rows) {
  section(
    "How good was the picture",
    "By the measures of the field, against what truly flew; missiles and rockets only. A track within 5 km of an object is taken for it, by the best assignment of all.",
    table(
      ["Measure", ...pictureNames.map(name => [labelOf(name), "n"]), "What it says"],
      rows.map(row => [
        row.label,
        ...pictureNames.map(name => row.values[name]),
        node("span", row.meaning, { class: "meaning" }),
      ]),
    ),
    true,
  );
}
