"""What an admin pastes from claude.ai: routine ID, token and header versions in any wrapping."""
