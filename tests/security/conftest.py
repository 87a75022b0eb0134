collect_ignore = ["test_planted_key.py"]  # needs gitleaks: make test-secrets
