// The extension starts `syncctl lsp` and lets it answer; all else is in the program.
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

exports.activate = async function () {
  const command = vscode.workspace.getConfiguration("syncctl").get("path", "syncctl");
  client = new LanguageClient(
    "syncctl",
    "syncctl",
    { command, args: ["lsp"], transport: TransportKind.stdio },
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
