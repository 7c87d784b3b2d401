// Reads queries with Microsoft's own language service: what is wrong with each, and which columns it gives.
//
// In: {"tables": {table: {column: type}}, "queries": {name: query}} on stdin. Out: {name: {"errors": […], "columns":
// {column: type}}}. What is no error to the service (a hint, a warning) is none here.
"use strict";

const room = "@kusto/language-service-next/";
require(room + "bridge.min.js");
require(room + "Kusto.Language.Bridge.min.js");

const { GlobalState, KustoCode, Diagnostic, Symbols } = Kusto.Language;
const { tables, queries } = JSON.parse(require("fs").readFileSync(0, "utf8"));

const members = new (System.Collections.Generic.List$1(Symbols.Symbol).ctor)();
for (const [name, columns] of Object.entries(tables)) {
  const listed = Object.entries(columns).map(([column, type]) => `['${column}']: ${type}`);
  members.add(Symbols.TableSymbol.From(`(${listed.join(", ")})`).WithName(name));
}
const known = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.$ctor3("logs", null, members, false));

function each(list, type) {
  return Array.from({ length: System.Array.getCount(list, type) }, (_, at) => System.Array.getItem(list, at, type));
}

function read(query) {
  const code = KustoCode.ParseAndAnalyze(query, known);
  const wrong = each(code.GetDiagnostics(), Diagnostic).filter((found) => found.Severity === "Error");
  const given = code.ResultType && code.ResultType.Columns ? each(code.ResultType.Columns, Symbols.ColumnSymbol) : [];
  return {
    errors: wrong.map((found) => `${found.Code} at ${found.Start}: ${found.Message}`),
    columns: Object.fromEntries(given.map((column) => [column.Name, column.Type.Name])),
  };
}

const told = Object.fromEntries(Object.entries(queries).map(([name, query]) => [name, read(query)]));
process.stdout.write(JSON.stringify(told));
