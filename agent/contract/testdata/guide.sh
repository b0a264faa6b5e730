# The calls of the Certificate Vault guide, as they stand there.

## templates (step 2)
curl -X GET \
'https://api.vec.digital/business/certificate-templates' \
-H 'Accept: application/json' \
-H 'Authorization: Bearer YOUR_API_TOKEN'

## upload (step 4)
curl -X POST \
'https://api.vec.digital/business/certificate-vault' \
-H 'Accept: application/json' \
-H 'Authorization: Bearer YOUR_API_TOKEN' \
-F 'certificate_title=Certificate of Achievement' \
-F 'full_name=John Smith' \
-F 'applicant_email=john@example.com' \
-F 'issue_date=2026-06-01' \
-F 'details=Awarded for outstanding performance' \
-F 'certificate_file=@/path/to/certificate.pdf'

## file (step 5a)
curl -X POST \
'https://api.vec.digital/business/certificate-vault/upload-file' \
-H 'Accept: application/json' \
-H 'Authorization: Bearer YOUR_API_TOKEN' \
-F 'file=@/path/to/certificate1.pdf'

## bulk (step 5b)
curl -X POST \
'https://api.vec.digital/business/certificate-vault/bulk' \
-H 'Accept: application/json' \
-H 'Authorization: Bearer YOUR_API_TOKEN' \
-F 'entries[0][certificate_title]=Certificate of Achievement' \
-F 'entries[0][full_name]=John Smith' \
-F 'entries[0][applicant_email]=john@example.com' \
-F 'entries[0][file_id]=9e3b101f-c264-4f97-945f-20dfa7163768' \
-F 'entries[0][issue_date]=2026-06-01' \
-F 'entries[1][certificate_title]=Certificate of Excellence' \
-F 'entries[1][full_name]=Jane Doe' \
-F 'entries[1][applicant_email]=jane@example.com' \
-F 'entries[1][file_id]=8d2a0f9e-b1c3-4d86-a570-f12345678901' \
-F 'entries[1][issue_date]=2026-06-01'

## download (step 6)
curl -X GET \
'https://api.vec.digital/business/certificate-vault/9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15/download' \
-H 'Authorization: Bearer YOUR_API_TOKEN' \
--output certificate.pdf
