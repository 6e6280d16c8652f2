-- Neovim drives `syncctl lsp`, set up as docs/editors.md says. nvim --headless -u NONE -i NONE -S .ci/neovim.lua
-- The program is the first syncctl in the path. Ends with exit code 1 and a word at the first thing that is not right.
local function try(what, ok, ...)
  if not ok then
    io.stderr:write("neovim: " .. tostring(what) .. "\n" .. vim.inspect({ ... }) .. "\n")
    vim.cmd("cquit 1")
  end
end

local function ask(method, line, character)
  local id = { uri = vim.uri_from_bufnr(0) }
  local answers, err = vim.lsp.buf_request_sync(0, method,
    { textDocument = id, position = { line = line, character = character }, newName = "address" }, 30000)
  try(method .. " is not answered", answers, err)
  for _, answer in pairs(answers) do
    try(method .. " is refused", answer.error == nil, answer)
    return answer.result
  end
  try(method .. " is asked of nobody", false)
end

local function drive()
  local doc = table.concat(vim.fn.readfile("docs/editors.md"), "\n")
  local config = {}
  for code in doc:gmatch("```lua\n(.-)```") do
    table.insert(config, code)
  end
  try("docs/editors.md has two configurations", #config == 2)
  local dir = vim.fn.tempname()
  vim.fn.mkdir(dir .. "/.git", "p")
  vim.fn.mkdir(dir .. "/m")
  vim.fn.writefile({ 'output "empty" {', '  value = ""', "}" }, dir .. "/m/main.sync.hcl")
  vim.fn.writefile({ 'variable "host" {', "  type = string", "}", "", 'output "url" {',
    '  value = upper("https://${var.hots}/")', "}", 'module "m" {', '  source = "./m"', "}" }, dir .. "/main.sync.hcl")
  vim.cmd("cd " .. dir)
  assert((loadstring or load)(config[vim.fn.has("nvim-0.11") == 1 and 1 or 2]))()
  vim.cmd("edit main.sync.hcl")

  local function diagnostics()
    return vim.diagnostic.get(0)
  end
  try("no mistake is shown", vim.wait(60000, function() return #diagnostics() == 1 end, 20), diagnostics())
  try("another mistake is shown", diagnostics()[1].message:find('Did you mean "host"?', 1, true), diagnostics())

  local items = ask("textDocument/completion", 5, 32).items
  try("completion", #items == 1 and items[1].label == "host", items)
  local text = ask("textDocument/hover", 5, 12).contents.value
  try("hover", text:find("upper(str)", 1, true), text)
  local help = ask("textDocument/signatureHelp", 5, 17)
  try("signature", help.signatures[1].label == "upper(str string) string" and help.activeParameter == 0, help)

  -- Half a line, as it is typed.
  vim.api.nvim_buf_set_lines(0, 10, 10, false, { 'output "half" {', "  va" })
  items = ask("textDocument/completion", 11, 4).items
  try("completion in a file that does not parse", #items == 1 and items[1].label == "value", items)
  vim.api.nvim_buf_set_lines(0, 10, 12, false, {})

  vim.api.nvim_buf_set_lines(0, 5, 6, false, { '  value = upper("https://${var.host}/")' })
  try("a mistake stays that was mended", vim.wait(60000, function() return #diagnostics() == 0 end, 20), diagnostics())
  local at = ask("textDocument/definition", 5, 32)
  try("definition", #at == 1 and at[1].range.start.line == 0, at)
  local edit = ask("textDocument/rename", 5, 32)
  vim.lsp.util.apply_workspace_edit(edit, "utf-16")
  local lines = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  try("rename", lines[1] == 'variable "address" {' and lines[6]:find("var.address", 1, true), lines)

  -- Runs know a module by its new name.
  vim.lsp.util.apply_workspace_edit(ask("textDocument/rename", 7, 9), "utf-16")
  lines = vim.api.nvim_buf_get_lines(0, 7, -1, false)
  local moved = { 'module "address" {', '  source = "./m"', "}", "",
    "moved {", "  from = module.m", "  to   = module.address",
    "}" }
  try("moved", table.concat(lines, "\n") == table.concat(moved, "\n"), lines)
  io.stdout:write("neovim: mistakes, completion, hover, definition and renaming are as they should be\n")
end

local ok, err = pcall(drive)
try(err, ok)
vim.cmd("qall!")
