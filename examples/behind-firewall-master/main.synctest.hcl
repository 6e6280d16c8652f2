# What this migration must do, whatever else changes in the files: `syncctl test examples/behind-firewall-master`.

run "planned" {
  command = plan

  # Nothing is deleted before it was verified, and nothing is exported before both halves have stopped.
  expect_steps = [
    "migration.backbone_to_cloud.support/stop_master",
    "migration.backbone_to_cloud.support/stop_slave",
    "migration.backbone_to_cloud.support/export_master",
    "migration.backbone_to_cloud.support/verify",
    "migration.backbone_to_cloud.support/delete_master",
  ]

  assert {
    condition     = plan.add == 1 && plan.destroy == migration.backbone_to_cloud.support.delete_original.allow
    error_message = "The plan adds ${plan.add} and destroys ${plan.destroy}."
  }
}

# The answer to the first deletion gets lost, and it is not sent again.
run "applied" {
  faults = ["method=DELETE,path=**/integrations/*,kind=lost"]

  assert {
    condition     = plan.done == run.planned.steps
    error_message = "Not every step was carried out."
  }
}

run "nothing_left" {
  command = plan

  assert {
    condition     = plan.steps == []
    error_message = "The second plan has steps."
  }
}
