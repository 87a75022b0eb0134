project_id = "test-project"
