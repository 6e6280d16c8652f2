# One issue is in error: the migration is refused, and the rule that refuses it is this one alone.

run "refused" {
  command         = plan
  expect_failures = [migration.backbone_to_cloud.support]

  assert {
    condition     = [for f in plan.findings : f.rule if f.severity == "refuse"] == ["backbone/issues-in-error"]
    error_message = "It is refused for another reason."
  }
}
