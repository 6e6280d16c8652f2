// The extension starts `syncctl lsp` and lets it answer; all else is in the program.
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");
const { find } = require("./program");

let client;

exports.activate = async function (context) {
  const named = vscode.workspace.getConfiguration("syncctl").get("path", "syncctl");
  const command = find(named);
  if (!command) {
    const why = named === "syncctl" ? "is not in the path" : `is neither in the path nor a whole path: ${named}`;
    vscode.window.showErrorMessage(`The program syncctl ${why}. The setting syncctl.path names it.`);
    return;
  }
  client = new LanguageClient(
    "syncctl",
    "syncctl",
    // The working folder is ours: the one that is open may bring what a program loads from there.
    { command, args: ["lsp"], options: { cwd: context.extensionPath }, transport: TransportKind.stdio },
    {
      documentSelector: [
        { scheme: "file", language: "syncctl" },
        { scheme: "file", pattern: "**/*.{sync,syncvars,synctest}.hcl.json" },
      ],
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.hcl{,.json}") },
    },
  );
  await client.start();
};

exports.deactivate = async function () {
  await client?.stop();
};
