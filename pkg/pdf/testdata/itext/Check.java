import com.itextpdf.text.pdf.PdfReader;
import com.itextpdf.text.pdf.PdfDictionary;
import com.itextpdf.text.pdf.PdfName;
import com.itextpdf.text.pdf.AcroFields;
import com.itextpdf.text.pdf.security.PdfPKCS7;
import java.security.Security;

/** Prints what iText 5 with Bouncy Castle says of the signatures of files. */
public class Check {
    public static void main(String[] args) throws Exception {
        Security.addProvider(new org.bouncycastle.jce.provider.BouncyCastleProvider());
        for (String file : args) {
            System.out.println("file " + file);
            check(new PdfReader(file));
        }
    }

    private static void check(PdfReader reader) throws Exception {
        AcroFields fields = reader.getAcroFields();
        for (String name : fields.getSignatureNames()) {
            PdfPKCS7 signature = fields.verifySignature(name);
            String stamp = "";
            if (!signature.isTsp() && signature.getTimeStampToken() != null) {
                stamp = " stamped=" + signature.verifyTimestampImprint();
            }
            System.out.println("signature tsp=" + signature.isTsp() + " valid=" + signature.verify() + stamp
                + " revision=" + fields.getRevision(name) + "/" + fields.getTotalRevisions()
                + " whole=" + fields.signatureCoversWholeDocument(name));
        }
        PdfDictionary dss = reader.getCatalog().getAsDict(PdfName.DSS);
        if (dss != null) {
            System.out.println("dss certs=" + size(dss, PdfName.CERTS) + " ocsps=" + size(dss, PdfName.OCSPS)
                + " crls=" + size(dss, PdfName.CRLS) + " vri=" + dss.getAsDict(PdfName.VRI).size());
        }
    }

    private static int size(PdfDictionary dss, PdfName name) {
        return dss.getAsArray(name) == null ? 0 : dss.getAsArray(name).size();
    }
}
