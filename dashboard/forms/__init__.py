"""What people type: forms that hand on the domain's own values, or say what is wrong."""
