# Two major versions: the synchronization is refused when planning, and apply does not begin.

run "refused" {
  command         = plan
  expect_failures = [sync.teamwork_cloud.powertrain]

  assert {
    condition     = contains(plan.findings[*].rule, "teamwork_cloud/major")
    error_message = "It is refused for another reason."
  }
}

run "not_applied" {
  expect_failures = [sync.teamwork_cloud.powertrain]

  assert {
    condition     = plan.done == []
    error_message = "Steps were carried out."
  }
}
