// Where the program is. A name without a folder is never looked for in the folder that is open, which may bring a
// program of that name: neither by the system (Windows looks there first), nor by a path with "." in it.
const fs = require("node:fs");
const path = require("node:path");

exports.find = function (name, environment = process.env, platform = process.platform) {
  const names = platform === "win32" ? path.win32 : path.posix;
  if (names.basename(name) !== name) {
    return names.isAbsolute(name) ? name : undefined;
  }
  const file = platform === "win32" && names.extname(name) === "" ? name + ".exe" : name;
  const key = Object.keys(environment).find((k) => k.toUpperCase() === "PATH") ?? "PATH";
  return (environment[key] ?? "")
    .split(names.delimiter)
    .filter((dir) => names.isAbsolute(dir))
    .map((dir) => names.join(dir, file))
    .find(isFile);
};

// A name that cannot be looked at, such as one in a folder that nobody may enter, is no program.
function isFile(name) {
  try {
    return fs.statSync(name).isFile();
  } catch {
    return false;
  }
}
