run "planned" {
  command      = plan
  expect_steps = ["sync.depot.tools/paint", "sync.depot.tools/scrap"]

  assert {
    condition     = plan.destroy <= 1 && !contains(plan.findings[*].severity, "refuse")
    error_message = "It destroys ${plan.destroy} boxes."
  }
}

# The server refuses one request: the run stops there, and the next one resumes it.
run "disturbed" {
  faults          = ["method=PUT,kind=fail,status=400"]
  expect_failures = [sync.depot.tools]

  assert {
    condition     = plan.done == []
    error_message = "Something was carried out."
  }
}

run "resumed" {
  assert {
    condition     = plan.done == run.planned.steps
    error_message = "Not every step was carried out."
  }
}
