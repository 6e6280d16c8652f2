// What can be known without VS Code: the bundle is whole, and starts the program that the settings name.
const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { find } = require("./program");
const Module = require("node:module");
const test = require("node:test");

// stub answers every question about the editor with something harmless.
const stub = new Proxy(function () {}, {
  get: (_, name) => (name === "get" ? (_name, fallback) => fallback : name === "then" ? undefined : stub),
  apply: () => stub,
  construct: () => stub,
});

test("the bundle has all it needs but the editor", () => {
  const load = Module._load;
  const asked = new Set();
  Module._load = function (name, ...rest) {
    if (!Module.builtinModules.includes(name.replace(/^node:/, "")) && !/^[./]/.test(name)) {
      asked.add(name);
      return stub;
    }
    return load.call(this, name, ...rest);
  };
  const extension = require("./dist/extension.js");
  Module._load = load;
  assert.deepStrictEqual([...asked], ["vscode"]);
  assert.strictEqual(typeof extension.activate, "function");
  assert.strictEqual(typeof extension.deactivate, "function");
});

test("a program that comes with the open folder is not started", () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "syncctl-"));
  const program = path.join(dir, "syncctl");
  fs.writeFileSync(program, "");
  const loop = path.join(dir, "loop");
  fs.mkdirSync(loop);
  fs.symlinkSync("syncctl", path.join(loop, "syncctl")); // which cannot be looked at
  const before = process.cwd();
  process.chdir(dir);
  for (const [name, PATH, want] of [
    ["syncctl", dir, program],
    ["syncctl", `.::relative:${dir}`, program],
    ["syncctl", `${loop}:${dir}`, program],
    ["syncctl", "", undefined],
    ["syncctl", ".:", undefined],
    ["./syncctl", dir, undefined],
    ["../bin/syncctl", dir, undefined],
    [program, "", program],
  ]) {
    assert.strictEqual(find(name, { PATH }, "linux"), want, `${name} in ${PATH}`);
  }
  assert.strictEqual(find("syncctl", { Path: "" }, "win32"), undefined);
  assert.strictEqual(find("tools\\syncctl.exe", {}, "win32"), undefined);
  assert.strictEqual(find("C:\\tools\\syncctl.exe", {}, "win32"), "C:\\tools\\syncctl.exe");
  process.chdir(before);
  fs.rmSync(dir, { recursive: true });
});

test("the files that the manifest names are there, and its patterns are regular expressions", () => {
  const manifest = JSON.parse(fs.readFileSync("package.json"));
  const { languages, grammars } = manifest.contributes;
  JSON.parse(fs.readFileSync(languages[0].configuration));
  const grammar = JSON.parse(fs.readFileSync(grammars[0].path));
  assert.strictEqual(grammar.scopeName, grammars[0].scopeName);
  const names = Object.keys(grammar.repository);
  const walk = (rule) => {
    for (const key of ["match", "begin", "end"]) {
      if (rule[key] && !rule[key].includes("\\1")) new RegExp(rule[key], "u");
    }
    if (rule.include) assert.ok(names.includes(rule.include.slice(1)), rule.include);
    (rule.patterns ?? []).forEach(walk);
  };
  Object.values(grammar.repository).forEach(walk);
});
