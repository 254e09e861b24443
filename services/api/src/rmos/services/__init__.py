"""What a user can mean to do: one function for each intention, run inside one transaction of the stores."""
